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
}

impl On {
    /// All resources.
    pub const EACH: [Self; 4] = [Self::All, Self::Stores, Self::Buckets, Self::Objects];

    /// ARN with wildcards, for a policy.
    pub fn pattern(self) -> &'static str {
        match self {
            Self::All => "*",
            Self::Stores => "arn:aws:cloudfront::*:key-value-store/*",
            Self::Buckets => "arn:aws:s3:::mc-*",
            Self::Objects => "arn:aws:s3:::mc-*/*",
        }
    }

    /// ARN of one in an account, to ask about; none where there is nothing to name.
    pub fn example(self, account: &str) -> Option<String> {
        match self {
            Self::All => None,
            Self::Stores => Some(format!("arn:aws:cloudfront::{account}:key-value-store/mikrocloud")),
            Self::Buckets => Some("arn:aws:s3:::mc-shared".to_owned()),
            Self::Objects => Some("arn:aws:s3:::mc-shared/sites/index.html".to_owned()),
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
}

/// Actions of all operations, sorted.
pub fn actions() -> Vec<Action> {
    let mut all: Vec<_> = ALL.iter().flat_map(|operation| operation.actions).copied().collect();
    all.sort_unstable();
    all.dedup();
    all
}
