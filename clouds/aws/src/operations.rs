//! Every operation that is asked of AWS, with the actions it needs. The policy of an account follows from this table.

use clouds_contract::guard::Call;

/// An operation of one of AWS's services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// The call, as guards see it.
    pub call: Call,
    /// Actions that it needs.
    pub actions: &'static [Action],
}

/// An action of IAM, on the resources that it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Action {
    /// Resources that it is needed on.
    pub on: On,
    /// Its name, such as `s3:CreateBucket`.
    pub name: &'static str,
}

/// Resources of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum On {
    /// Resources whose names AWS chooses, or that have none.
    All,
    /// Data of key-value stores.
    Stores,
    /// Buckets of ours.
    Buckets,
    /// Objects in them.
    Objects,
    /// Roles of ours.
    Roles,
    /// Roles of AWS's own services.
    ServiceRoles,
}

impl On {
    /// All resources.
    pub const EACH: [Self; 6] = [Self::All, Self::Stores, Self::Buckets, Self::Objects, Self::Roles, Self::ServiceRoles];

    /// ARN with wildcards, for a policy.
    pub fn pattern(self) -> &'static str {
        match self {
            Self::All => "*",
            Self::Stores => "arn:aws:cloudfront::*:key-value-store/*",
            Self::Buckets => "arn:aws:s3:::mc-*",
            Self::Objects => "arn:aws:s3:::mc-*/*",
            Self::Roles => "arn:aws:iam::*:role/mc-*",
            Self::ServiceRoles => "arn:aws:iam::*:role/aws-service-role/*",
        }
    }

    /// ARN of one in an account, to ask about; none where there is nothing to name.
    pub fn example(self, account: &str) -> Option<String> {
        match self {
            Self::All => None,
            Self::Stores => Some(format!("arn:aws:cloudfront::{account}:key-value-store/mikrocloud")),
            Self::Buckets => Some("arn:aws:s3:::mc-shared".to_owned()),
            Self::Objects => Some("arn:aws:s3:::mc-shared/sites/index.html".to_owned()),
            Self::Roles => Some(format!("arn:aws:iam::{account}:role/mc-shared")),
            Self::ServiceRoles => {
                Some(format!("arn:aws:iam::{account}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"))
            }
        }
    }
}

macro_rules! operations {
    ($($name:ident = $repeat:ident $service:literal $operation:literal: $($on:ident $action:literal)*;)*) => {
        $(
            #[doc = concat!("`", $service, ".", $operation, "`.")]
            pub const $name: Operation = Operation {
                call: Call::$repeat($service, $operation),
                actions: &[$(Action { on: On::$on, name: $action }),*],
            };
        )*

        /// All operations.
        pub const ALL: &[Operation] = &[$($name),*];
    };
}

operations! {
    CALLER_GET = freely "sts" "GetCallerIdentity": ;
    ROLE_ASSUME = freely "sts" "AssumeRole": ;
    POLICY_SIMULATE = freely "iam" "SimulatePrincipalPolicy": All "iam:SimulatePrincipalPolicy";

    STORE_GET = freely "cloudfront" "DescribeKeyValueStore": All "cloudfront:DescribeKeyValueStore";
    STORE_LIST = freely "cloudfront" "ListKeyValueStores": All "cloudfront:ListKeyValueStores";
    STORE_CREATE = once "cloudfront" "CreateKeyValueStore": All "cloudfront:CreateKeyValueStore";
    STORE_DELETE = freely "cloudfront" "DeleteKeyValueStore": All "cloudfront:DeleteKeyValueStore";

    KEYS_DESCRIBE = freely "cloudfront-keyvaluestore" "DescribeKeyValueStore": Stores "cloudfront-keyvaluestore:DescribeKeyValueStore";
    KEY_GET = freely "cloudfront-keyvaluestore" "GetKey": Stores "cloudfront-keyvaluestore:GetKey";
    // The entity tag lets none of them happen twice.
    KEY_PUT = freely "cloudfront-keyvaluestore" "PutKey": Stores "cloudfront-keyvaluestore:PutKey";
    KEY_DELETE = freely "cloudfront-keyvaluestore" "DeleteKey": Stores "cloudfront-keyvaluestore:DeleteKey";

    FUNCTION_GET = freely "cloudfront" "DescribeFunction": All "cloudfront:DescribeFunction";
    FUNCTION_LIST = freely "cloudfront" "ListFunctions": All "cloudfront:ListFunctions";
    FUNCTION_CREATE = once "cloudfront" "CreateFunction": All "cloudfront:CreateFunction";
    FUNCTION_UPDATE = once "cloudfront" "UpdateFunction": All "cloudfront:UpdateFunction";
    FUNCTION_PUBLISH = freely "cloudfront" "PublishFunction": All "cloudfront:PublishFunction";
    FUNCTION_DELETE = freely "cloudfront" "DeleteFunction": All "cloudfront:DeleteFunction";

    ACCESS_GET = freely "cloudfront" "GetOriginAccessControl": All "cloudfront:GetOriginAccessControl";
    ACCESS_LIST = freely "cloudfront" "ListOriginAccessControls": All "cloudfront:ListOriginAccessControls";
    ACCESS_CREATE = once "cloudfront" "CreateOriginAccessControl": All "cloudfront:CreateOriginAccessControl";
    ACCESS_DELETE = freely "cloudfront" "DeleteOriginAccessControl": All "cloudfront:DeleteOriginAccessControl";

    DISTRIBUTION_GET = freely "cloudfront" "GetDistribution": All "cloudfront:GetDistribution";
    DISTRIBUTION_LIST = freely "cloudfront" "ListDistributions": All "cloudfront:ListDistributions";
    DISTRIBUTION_CREATE = once "cloudfront" "CreateDistribution":
        All "cloudfront:CreateDistribution" All "cloudfront:TagResource";
    DISTRIBUTION_UPDATE = once "cloudfront" "UpdateDistribution": All "cloudfront:UpdateDistribution";
    DISTRIBUTION_DELETE = freely "cloudfront" "DeleteDistribution": All "cloudfront:DeleteDistribution";
    TAGS_LIST = freely "cloudfront" "ListTagsForResource": All "cloudfront:ListTagsForResource";

    BUCKET_LIST = freely "s3" "ListBuckets": All "s3:ListAllMyBuckets";
    BUCKET_CREATE = once "s3" "CreateBucket": Buckets "s3:CreateBucket";
    BUCKET_DELETE = freely "s3" "DeleteBucket": Buckets "s3:DeleteBucket";
    BUCKET_TAGS_GET = freely "s3" "GetBucketTagging": Buckets "s3:GetBucketTagging";
    BUCKET_TAGS_PUT = freely "s3" "PutBucketTagging": Buckets "s3:PutBucketTagging";
    BUCKET_ACCESS_PUT = freely "s3" "PutPublicAccessBlock": Buckets "s3:PutBucketPublicAccessBlock";
    BUCKET_POLICY_GET = freely "s3" "GetBucketPolicy": Buckets "s3:GetBucketPolicy";
    BUCKET_POLICY_PUT = freely "s3" "PutBucketPolicy": Buckets "s3:PutBucketPolicy";
    OBJECT_LIST = freely "s3" "ListObjectsV2": Buckets "s3:ListBucket";
    OBJECT_PUT = freely "s3" "PutObject": Objects "s3:PutObject";
    OBJECT_COPY = freely "s3" "CopyObject": Objects "s3:GetObject" Objects "s3:PutObject";
    OBJECTS_DELETE = freely "s3" "DeleteObjects": Objects "s3:DeleteObject";

    VPC_LIST = freely "ec2" "DescribeVpcs": All "ec2:DescribeVpcs";
    SUBNET_LIST = freely "ec2" "DescribeSubnets": All "ec2:DescribeSubnets";
    PREFIX_LIST = freely "ec2" "DescribeManagedPrefixLists": All "ec2:DescribeManagedPrefixLists";
    GROUP_LIST = freely "ec2" "DescribeSecurityGroups": All "ec2:DescribeSecurityGroups";
    GROUP_CREATE = once "ec2" "CreateSecurityGroup": All "ec2:CreateSecurityGroup" All "ec2:CreateTags";
    GROUP_ALLOW = freely "ec2" "AuthorizeSecurityGroupIngress": All "ec2:AuthorizeSecurityGroupIngress";
    GROUP_DELETE = freely "ec2" "DeleteSecurityGroup": All "ec2:DeleteSecurityGroup";

    BALANCER_LIST = freely "elasticloadbalancing" "DescribeLoadBalancers": All "elasticloadbalancing:DescribeLoadBalancers";
    // An account's first load balancer, like its first cluster, comes with a role of the service's own.
    BALANCER_CREATE = once "elasticloadbalancing" "CreateLoadBalancer":
        All "elasticloadbalancing:CreateLoadBalancer" All "elasticloadbalancing:AddTags" ServiceRoles "iam:CreateServiceLinkedRole";
    BALANCER_DELETE = freely "elasticloadbalancing" "DeleteLoadBalancer": All "elasticloadbalancing:DeleteLoadBalancer";
    LISTENER_LIST = freely "elasticloadbalancing" "DescribeListeners": All "elasticloadbalancing:DescribeListeners";
    LISTENER_CREATE = once "elasticloadbalancing" "CreateListener": All "elasticloadbalancing:CreateListener";
    LISTENER_DELETE = freely "elasticloadbalancing" "DeleteListener": All "elasticloadbalancing:DeleteListener";
    RULE_LIST = freely "elasticloadbalancing" "DescribeRules": All "elasticloadbalancing:DescribeRules";
    RULE_CREATE = once "elasticloadbalancing" "CreateRule": All "elasticloadbalancing:CreateRule";
    RULE_MODIFY = freely "elasticloadbalancing" "ModifyRule": All "elasticloadbalancing:ModifyRule";
    RULE_DELETE = freely "elasticloadbalancing" "DeleteRule": All "elasticloadbalancing:DeleteRule";
    TARGETS_LIST = freely "elasticloadbalancing" "DescribeTargetGroups": All "elasticloadbalancing:DescribeTargetGroups";
    TARGETS_CREATE = once "elasticloadbalancing" "CreateTargetGroup": All "elasticloadbalancing:CreateTargetGroup";
    TARGETS_READ = freely "elasticloadbalancing" "DescribeTargetGroupAttributes":
        All "elasticloadbalancing:DescribeTargetGroupAttributes";
    TARGETS_MODIFY = freely "elasticloadbalancing" "ModifyTargetGroupAttributes":
        All "elasticloadbalancing:ModifyTargetGroupAttributes";
    TARGETS_DELETE = freely "elasticloadbalancing" "DeleteTargetGroup": All "elasticloadbalancing:DeleteTargetGroup";
    HEALTH_LIST = freely "elasticloadbalancing" "DescribeTargetHealth": All "elasticloadbalancing:DescribeTargetHealth";
    BALANCING_TAGS = freely "elasticloadbalancing" "DescribeTags": All "elasticloadbalancing:DescribeTags";

    CLUSTER_GET = freely "ecs" "DescribeClusters": All "ecs:DescribeClusters";
    CLUSTER_CREATE = once "ecs" "CreateCluster":
        All "ecs:CreateCluster" All "ecs:TagResource" ServiceRoles "iam:CreateServiceLinkedRole";
    CLUSTER_DELETE = freely "ecs" "DeleteCluster": All "ecs:DeleteCluster";
    DEFINITION_GET = freely "ecs" "DescribeTaskDefinition": All "ecs:DescribeTaskDefinition";
    DEFINITION_REGISTER = once "ecs" "RegisterTaskDefinition": All "ecs:RegisterTaskDefinition" Roles "iam:PassRole";
    DEFINITION_DEREGISTER = freely "ecs" "DeregisterTaskDefinition": All "ecs:DeregisterTaskDefinition";
    DEFINITION_DELETE = freely "ecs" "DeleteTaskDefinitions": All "ecs:DeleteTaskDefinitions";
    SERVICE_GET = freely "ecs" "DescribeServices": All "ecs:DescribeServices";
    SERVICE_CREATE = once "ecs" "CreateService": All "ecs:CreateService";
    SERVICE_UPDATE = freely "ecs" "UpdateService": All "ecs:UpdateService";
    SERVICE_DELETE = freely "ecs" "DeleteService": All "ecs:DeleteService";

    ROLE_GET = freely "iam" "GetRole": Roles "iam:GetRole";
    ROLE_CREATE = once "iam" "CreateRole": Roles "iam:CreateRole" Roles "iam:TagRole";
    ROLE_DELETE = freely "iam" "DeleteRole": Roles "iam:DeleteRole";
    ROLE_POLICY_GET = freely "iam" "GetRolePolicy": Roles "iam:GetRolePolicy";
    ROLE_POLICY_PUT = freely "iam" "PutRolePolicy": Roles "iam:PutRolePolicy";
    ROLE_POLICY_DELETE = freely "iam" "DeleteRolePolicy": Roles "iam:DeleteRolePolicy";

    LOGS_LIST = freely "logs" "DescribeLogGroups": All "logs:DescribeLogGroups";
    LOGS_CREATE = once "logs" "CreateLogGroup": All "logs:CreateLogGroup" All "logs:TagResource";
    LOGS_KEEP = freely "logs" "PutRetentionPolicy": All "logs:PutRetentionPolicy";
    LOGS_DELETE = freely "logs" "DeleteLogGroup": All "logs:DeleteLogGroup";
    LOGS_TAGS = freely "logs" "ListTagsForResource": All "logs:ListTagsForResource";

    PARAMETER_GET = freely "ssm" "GetParameter": All "ssm:GetParameter";
    PARAMETER_PUT = once "ssm" "PutParameter": All "ssm:PutParameter" All "ssm:AddTagsToResource";
    PARAMETER_DELETE = freely "ssm" "DeleteParameter": All "ssm:DeleteParameter";
    PARAMETER_TAGS = freely "ssm" "ListTagsForResource": All "ssm:ListTagsForResource";

    REPOSITORY_GET = freely "ecr" "DescribeRepositories": All "ecr:DescribeRepositories";
    REPOSITORY_CREATE = once "ecr" "CreateRepository": All "ecr:CreateRepository" All "ecr:TagResource";
    REPOSITORY_DELETE = freely "ecr" "DeleteRepository": All "ecr:DeleteRepository";
    REPOSITORY_TAGS = freely "ecr" "ListTagsForResource": All "ecr:ListTagsForResource";
    IMAGE_GET = freely "ecr" "DescribeImages": All "ecr:DescribeImages";
    IMAGE_DELETE = freely "ecr" "BatchDeleteImage": All "ecr:BatchDeleteImage";
    // What is pushed with the token is asked for by the registry's protocol ("Pushing an image" of ECR).
    REGISTRY_TOKEN = freely "ecr" "GetAuthorizationToken":
        All "ecr:GetAuthorizationToken" All "ecr:BatchCheckLayerAvailability" All "ecr:BatchGetImage"
        All "ecr:InitiateLayerUpload" All "ecr:UploadLayerPart" All "ecr:CompleteLayerUpload" All "ecr:PutImage";

    TAGGED_LIST = freely "tagging" "GetResources": All "tag:GetResources";
}

/// Actions of all operations, sorted.
pub fn actions() -> Vec<Action> {
    let mut all: Vec<_> = ALL.iter().flat_map(|operation| operation.actions).copied().collect();
    all.sort_unstable();
    all.dedup();
    all
}
