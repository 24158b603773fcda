# KMS as people keep it in Terraform: keys with policy, rotation and tags, names, grants, a key in
# two regions, one whose material comes from elsewhere, and something encrypted.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "description" {
  default = "first"
}

provider "aws" {
  region = "us-east-1"
}

provider "aws" {
  alias  = "there"
  region = "eu-west-1"
}

data "aws_caller_identity" "me" {}

resource "aws_iam_role" "app" {
  name = "kms-app"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = data.aws_caller_identity.me.account_id }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_kms_key" "app" {
  description             = var.description
  deletion_window_in_days = 7
  enable_key_rotation     = true
  rotation_period_in_days = 180
  tags                    = { team = "blue" }
}

resource "aws_kms_key_policy" "app" {
  key_id = aws_kms_key.app.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "account"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::${data.aws_caller_identity.me.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "app"
        Effect    = "Allow"
        Principal = { AWS = aws_iam_role.app.arn }
        Action    = ["kms:Encrypt", "kms:Decrypt"]
        Resource  = "*"
      },
    ]
  })
}

resource "aws_kms_alias" "app" {
  name          = "alias/app"
  target_key_id = aws_kms_key.app.key_id
}

resource "aws_kms_grant" "app" {
  name              = "app"
  key_id            = aws_kms_key.app.key_id
  grantee_principal = aws_iam_role.app.arn
  operations        = ["Decrypt", "Encrypt", "GenerateDataKey"]

  constraints {
    encryption_context_subset = { app = "web" }
  }
}

resource "aws_kms_key" "signing" {
  customer_master_key_spec = "ECC_NIST_P256"
  key_usage                = "SIGN_VERIFY"
  deletion_window_in_days  = 7
}

resource "aws_kms_key" "everywhere" {
  multi_region            = true
  deletion_window_in_days = 7
}

resource "aws_kms_replica_key" "there" {
  provider                = aws.there
  primary_key_arn         = aws_kms_key.everywhere.arn
  description             = "there"
  deletion_window_in_days = 7
}

resource "aws_kms_external_key" "own" {
  description             = "own material"
  key_material_base64     = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
  deletion_window_in_days = 7
}

resource "aws_kms_ciphertext" "secret" {
  key_id    = aws_kms_key.app.key_id
  plaintext = "secret"
  context   = { app = "web" }
}

data "aws_kms_key" "app" {
  key_id = aws_kms_alias.app.name
}

data "aws_kms_alias" "s3" {
  name = "alias/aws/s3"
}

data "aws_kms_public_key" "signing" {
  key_id = aws_kms_key.signing.key_id
}
