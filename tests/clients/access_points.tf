# Doors to a bucket, and the account's block over all of them, as people keep them in Terraform.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "sid" {
  default = "first"
}

provider "aws" {
  region            = "us-east-1"
  s3_use_path_style = true
}

data "aws_caller_identity" "me" {}

resource "aws_s3_account_public_access_block" "all" {
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = var.sid == "first"
}

resource "aws_s3_bucket" "data" {
  bucket = "tf-access-points"
}

resource "aws_iam_role" "reader" {
  name = "access-point-reader"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = data.aws_caller_identity.me.account_id }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_s3_access_point" "plain" {
  bucket = aws_s3_bucket.data.id
  name   = "plain"
}

resource "aws_s3_access_point" "inside" {
  bucket = aws_s3_bucket.data.id
  name   = "inside"

  vpc_configuration {
    vpc_id = "vpc-0123456789abcdef0"
  }

  public_access_block_configuration {
    block_public_acls       = true
    block_public_policy     = false
    ignore_public_acls      = true
    restrict_public_buckets = false
  }

  lifecycle {
    ignore_changes = [policy]
  }
}

resource "aws_s3control_access_point_policy" "inside" {
  access_point_arn = aws_s3_access_point.inside.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = var.sid
      Effect    = "Allow"
      Principal = { AWS = aws_iam_role.reader.arn }
      Action    = "s3:GetObject"
      Resource  = "${aws_s3_access_point.inside.arn}/object/*"
    }]
  })
}
