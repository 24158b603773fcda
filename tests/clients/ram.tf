# A share with a permission, with the organization, with an account outside that accepts it; and
# the data source that finds it. Nothing of a shareable type can be made here, so no resource is
# associated.

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

provider "aws" {
  alias      = "other"
  region     = "us-east-1"
  access_key = var.other_id
  secret_key = var.other_secret
}

variable "other_id" {
  type = string
}

variable "other_secret" {
  type      = string
  sensitive = true
}

variable "other_account" {
  type = string
}

variable "name" {
  type    = string
  default = "first"
}

resource "aws_organizations_organization" "all" {
  feature_set                   = "ALL"
  aws_service_access_principals = ["ram.amazonaws.com"]
}

resource "aws_ram_sharing_with_organization" "all" {
  depends_on = [aws_organizations_organization.all]
}

resource "aws_ram_resource_share" "members" {
  name                      = "members"
  allow_external_principals = false
  permission_arns           = ["arn:aws:ram::aws:permission/AWSRAMPermissionAccessGrantsData"]
  tags                      = { team = "blue" }
}

resource "aws_ram_principal_association" "members" {
  principal          = aws_organizations_organization.all.arn
  resource_share_arn = aws_ram_resource_share.members.arn
  depends_on         = [aws_ram_sharing_with_organization.all]
}

resource "aws_ram_resource_share" "outside" {
  name                      = var.name
  allow_external_principals = true
  tags                      = { team = var.name }
}

resource "aws_ram_principal_association" "outside" {
  principal          = var.other_account
  resource_share_arn = aws_ram_resource_share.outside.arn
}

resource "aws_ram_resource_share_accepter" "outside" {
  provider  = aws.other
  share_arn = aws_ram_principal_association.outside.resource_share_arn
}

data "aws_ram_resource_share" "members" {
  name           = aws_ram_resource_share.members.name
  resource_owner = "SELF"
  depends_on     = [aws_ram_principal_association.members]
}

output "found" {
  value = data.aws_ram_resource_share.members.arn
}
