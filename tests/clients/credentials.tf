# Passwords, keys, certificates and credentials of users, as people write them.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

variable "status" {
  type    = string
  default = "Active"
}

provider "aws" {
  region = "us-east-1"
}

resource "aws_iam_account_password_policy" "strict" {
  minimum_password_length        = 14
  require_lowercase_characters   = true
  require_numbers                = true
  require_uppercase_characters   = true
  require_symbols                = true
  allow_users_to_change_password = true
  max_password_age               = 90
  password_reuse_prevention      = 5
  hard_expiry                    = false
}

resource "aws_iam_user" "ann" {
  name = "ann"
  path = "/team/"
}

# Destroyed with whatever it was given elsewhere.
resource "aws_iam_user" "eva" {
  name          = "eva"
  force_destroy = true
}

resource "aws_iam_user_login_profile" "ann" {
  user                    = aws_iam_user.ann.name
  password_length         = 20
  password_reset_required = true
  depends_on              = [aws_iam_account_password_policy.strict]
}

resource "aws_iam_user_ssh_key" "open_ssh" {
  username   = aws_iam_user.ann.name
  encoding   = "SSH"
  public_key = file("${path.module}/one.pub")
  status     = var.status
}

resource "aws_iam_user_ssh_key" "pem" {
  username   = aws_iam_user.ann.name
  encoding   = "PEM"
  public_key = file("${path.module}/two.pem")
}

resource "aws_iam_signing_certificate" "ann" {
  user_name        = aws_iam_user.ann.name
  certificate_body = file("${path.module}/signing.pem")
  status           = var.status
}

resource "aws_iam_server_certificate" "web" {
  name              = "web"
  path              = "/cloudfront/"
  certificate_body  = file("${path.module}/server.pem")
  certificate_chain = file("${path.module}/chain.pem")
  private_key       = file("${path.module}/server.key")
  tags              = { tier = var.status }
}

resource "aws_iam_service_specific_credential" "git" {
  user_name    = aws_iam_user.ann.name
  service_name = "codecommit.amazonaws.com"
  status       = var.status
}

data "aws_iam_server_certificate" "web" {
  name = aws_iam_server_certificate.web.name
}

data "aws_iam_user_ssh_key" "open_ssh" {
  username          = aws_iam_user.ann.name
  ssh_public_key_id = aws_iam_user_ssh_key.open_ssh.ssh_public_key_id
  encoding          = "PEM"
}

output "password" {
  value     = aws_iam_user_login_profile.ann.password
  sensitive = true
}
