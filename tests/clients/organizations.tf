# An organization with a unit, an account, policies and a delegated administrator; and what the
# account says of its owner.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

provider "aws" {
  region = "us-east-1"
}

variable "unit" {
  type    = string
  default = "workloads"
}

resource "aws_organizations_organization" "all" {
  feature_set                   = "ALL"
  enabled_policy_types          = ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY", "TAG_POLICY"]
  aws_service_access_principals = ["account.amazonaws.com", "access-analyzer.amazonaws.com"]
}

resource "aws_organizations_organizational_unit" "unit" {
  name      = var.unit
  parent_id = aws_organizations_organization.all.roots[0].id
  tags      = { team = var.unit }
}

resource "aws_organizations_account" "member" {
  name      = "member"
  email     = "member@example.com"
  parent_id = aws_organizations_organizational_unit.unit.id
  tags      = { team = "blue" }
}

resource "aws_organizations_policy" "lock" {
  name        = "lock"
  description = "for ${var.unit}"
  type        = "SERVICE_CONTROL_POLICY"
  content = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Deny"
      NotAction = ["iam:*", "organizations:*", "sts:*"]
      Resource  = "*"
      Condition = { StringNotEquals = { "aws:RequestedRegion" = ["us-east-1"] } }
    }]
  })
  tags       = { team = "blue" }
  depends_on = [aws_organizations_organization.all]
}

resource "aws_organizations_policy_attachment" "lock" {
  policy_id = aws_organizations_policy.lock.id
  target_id = aws_organizations_organizational_unit.unit.id
}

resource "aws_organizations_policy" "tags" {
  name = "tags"
  type = "TAG_POLICY"
  content = jsonencode({
    tags = { cost = { tag_key = { "@@assign" = "Cost" }, tag_value = { "@@assign" = ["a", "b"] } } }
  })
  depends_on = [aws_organizations_organization.all]
}

resource "aws_organizations_policy_attachment" "tags" {
  policy_id = aws_organizations_policy.tags.id
  target_id = aws_organizations_account.member.id
}

resource "aws_organizations_delegated_administrator" "analyzer" {
  account_id        = aws_organizations_account.member.id
  service_principal = "access-analyzer.amazonaws.com"
}

resource "aws_organizations_resource_policy" "delegation" {
  content = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Read"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::${aws_organizations_account.member.id}:root" }
      Action    = ["organizations:DescribePolicy", "organizations:ListPolicies"]
      Resource  = "*"
    }]
  })
}

resource "aws_account_primary_contact" "own" {
  full_name      = "Ann Example"
  address_line_1 = "1 Street"
  city           = "Town"
  postal_code    = "12345"
  country_code   = "US"
  phone_number   = "+15550100"
}

resource "aws_account_alternate_contact" "security" {
  alternate_contact_type = "SECURITY"
  name                   = "Sec"
  title                  = "Head of ${var.unit}"
  email_address          = "security@example.com"
  phone_number           = "+15550101"
}

resource "aws_account_alternate_contact" "member" {
  account_id             = aws_organizations_account.member.id
  alternate_contact_type = "BILLING"
  name                   = "Bill"
  title                  = "CFO"
  email_address          = "bill@example.com"
  phone_number           = "+15550102"
}

resource "aws_account_region" "cape" {
  account_id  = aws_organizations_account.member.id
  region_name = "af-south-1"
  enabled     = var.unit == "workloads"
}
