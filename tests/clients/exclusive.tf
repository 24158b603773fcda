# What the other configurations leave out: attachments that tolerate no others, preferences of the
# account, features of the organization, and the data sources that look back at all of it.

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

variable "action" {
  type    = string
  default = "s3:GetObject"
}

data "aws_caller_identity" "me" {}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "AWS"
      identifiers = [data.aws_caller_identity.me.account_id]
    }
  }
}

data "aws_iam_policy_document" "own" {
  statement {
    actions   = [var.action]
    resources = ["*"]
  }
}

resource "aws_iam_account_alias" "us" {
  account_alias = "palisade-exclusive"
}

resource "aws_iam_security_token_service_preferences" "tokens" {
  global_endpoint_token_version = "v2Token"
}

resource "aws_iam_user" "ann" {
  name = "ann"
  path = "/exclusive/"
}

resource "aws_iam_access_key" "ann" {
  user = aws_iam_user.ann.name
}

resource "aws_iam_group" "team" {
  name = "team"
  path = "/exclusive/"
}

resource "aws_iam_group_membership" "team" {
  name  = "team"
  group = aws_iam_group.team.name
  users = [aws_iam_user.ann.name]
}

resource "aws_iam_role" "app" {
  name               = "app"
  path               = "/exclusive/"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_instance_profile" "app" {
  name = "app"
  role = aws_iam_role.app.name
}

resource "aws_iam_policy" "shared" {
  name   = "shared"
  policy = data.aws_iam_policy_document.own.json
}

resource "aws_iam_policy" "all" {
  name   = "all"
  policy = data.aws_iam_policy_document.own.json
}

# One policy for all three kinds; nothing else may attach it.
resource "aws_iam_policy_attachment" "all" {
  name       = "all"
  users      = [aws_iam_user.ann.name]
  groups     = [aws_iam_group.team.name]
  roles      = [aws_iam_role.app.name]
  policy_arn = aws_iam_policy.all.arn
}

resource "aws_iam_user_policy" "own" {
  name   = "own"
  user   = aws_iam_user.ann.name
  policy = data.aws_iam_policy_document.own.json
}

resource "aws_iam_group_policy" "own" {
  name   = "own"
  group  = aws_iam_group.team.name
  policy = data.aws_iam_policy_document.own.json
}

resource "aws_iam_role_policy" "own" {
  name   = "own"
  role   = aws_iam_role.app.name
  policy = data.aws_iam_policy_document.own.json
}

resource "aws_iam_user_policies_exclusive" "ann" {
  user_name    = aws_iam_user.ann.name
  policy_names = [aws_iam_user_policy.own.name]
}

resource "aws_iam_group_policies_exclusive" "team" {
  group_name   = aws_iam_group.team.name
  policy_names = [aws_iam_group_policy.own.name]
}

resource "aws_iam_role_policies_exclusive" "app" {
  role_name    = aws_iam_role.app.name
  policy_names = [aws_iam_role_policy.own.name]
}

resource "aws_iam_user_policy_attachments_exclusive" "ann" {
  user_name   = aws_iam_user.ann.name
  policy_arns = [aws_iam_policy.shared.arn, aws_iam_policy.all.arn]
  depends_on  = [aws_iam_policy_attachment.all]
}

resource "aws_iam_group_policy_attachments_exclusive" "team" {
  group_name  = aws_iam_group.team.name
  policy_arns = [aws_iam_policy.shared.arn, aws_iam_policy.all.arn]
  depends_on  = [aws_iam_policy_attachment.all]
}

resource "aws_iam_role_policy_attachments_exclusive" "app" {
  role_name   = aws_iam_role.app.name
  policy_arns = [aws_iam_policy.shared.arn, aws_iam_policy.all.arn]
  depends_on  = [aws_iam_policy_attachment.all]
}

resource "aws_organizations_organization" "all" {
  feature_set                   = "ALL"
  aws_service_access_principals = ["iam.amazonaws.com"]
}

resource "aws_iam_organizations_features" "root" {
  enabled_features = ["RootCredentialsManagement", "RootSessions"]
  depends_on       = [aws_organizations_organization.all]
}

data "aws_iam_account_alias" "us" {
  depends_on = [aws_iam_account_alias.us]
}

data "aws_iam_access_keys" "ann" {
  user       = aws_iam_user.ann.name
  depends_on = [aws_iam_access_key.ann]
}

data "aws_iam_group" "team" {
  group_name = aws_iam_group.team.name
  depends_on = [aws_iam_group_membership.team]
}

data "aws_iam_instance_profile" "app" {
  name = aws_iam_instance_profile.app.name
}

data "aws_iam_instance_profiles" "of_app" {
  role_name  = aws_iam_role.app.name
  depends_on = [aws_iam_instance_profile.app]
}

data "aws_iam_roles" "all" {
  path_prefix = "/exclusive/"
  depends_on  = [aws_iam_role.app]
}

data "aws_iam_users" "all" {
  path_prefix = "/exclusive/"
  depends_on  = [aws_iam_user.ann]
}

data "aws_iam_session_context" "me" {
  arn = "arn:aws:sts::${data.aws_caller_identity.me.account_id}:assumed-role/${aws_iam_role.app.name}/me"
}

data "aws_iam_principal_policy_simulation" "ann" {
  action_names      = ["s3:GetObject"]
  policy_source_arn = aws_iam_user.ann.arn
  depends_on        = [aws_iam_user_policy.own]
}

output "told" {
  value = {
    alias    = data.aws_iam_account_alias.us.account_alias
    keys     = length(data.aws_iam_access_keys.ann.access_keys)
    members  = [for user in data.aws_iam_group.team.users : user.user_name]
    profile  = data.aws_iam_instance_profile.app.role_name
    profiles = data.aws_iam_instance_profiles.of_app.names
    roles    = data.aws_iam_roles.all.names
    users    = data.aws_iam_users.all.names
    issuer   = data.aws_iam_session_context.me.issuer_arn == aws_iam_role.app.arn
    allowed  = data.aws_iam_principal_policy_simulation.ann.all_allowed
  }
}
