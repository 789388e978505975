//! Regions by neutral names, the same over all vendors. A vendor's own name is understood, too.

/// A region: its neutral name and the vendor's.
pub type Region = (&'static str, &'static str);

macro_rules! regions {
    ($($neutral:literal => $aws:literal, $azure:literal, $gcp:literal;)*) => {
        /// Regions of Amazon Web Services (docs.aws.amazon.com, "Regions and Zones").
        pub static AWS: &[Region] = &[$(($neutral, $aws),)*];
        /// Regions of Microsoft Azure (learn.microsoft.com, "List of Azure regions").
        pub static AZURE: &[Region] = &[$(($neutral, $azure),)*];
        /// Regions of Google Cloud (cloud.google.com, "Cloud locations").
        pub static GCP: &[Region] = &[$(($neutral, $gcp),)*];
    };
}

regions! {
    "us-east" => "us-east-1", "eastus", "us-east4";
    "us-central" => "us-east-2", "centralus", "us-central1";
    "us-west" => "us-west-2", "westus2", "us-west1";
    "eu-west" => "eu-west-1", "northeurope", "europe-west1";
    "eu-central" => "eu-central-1", "germanywestcentral", "europe-west3";
    "eu-north" => "eu-north-1", "swedencentral", "europe-north1";
    "uk-south" => "eu-west-2", "uksouth", "europe-west2";
    "ap-southeast" => "ap-southeast-1", "southeastasia", "asia-southeast1";
    "ap-northeast" => "ap-northeast-1", "japaneast", "asia-northeast1";
    "ap-south" => "ap-south-1", "centralindia", "asia-south1";
    "au-east" => "ap-southeast-2", "australiaeast", "australia-southeast1";
    "sa-east" => "sa-east-1", "brazilsouth", "southamerica-east1";
}

/// The region of a vendor with this name, neutral or the vendor's own.
pub fn named(regions: &[Region], name: &str) -> Option<Region> {
    regions.iter().copied().find(|(neutral, vendors)| *neutral == name || *vendors == name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_region_is_found_by_both_names() {
        assert_eq!(named(GCP, "eu-west"), Some(("eu-west", "europe-west1")));
        assert_eq!(named(AZURE, "northeurope"), Some(("eu-west", "northeurope")));
        assert_eq!(named(AWS, "europe-west1"), None);
    }

    #[test]
    fn a_vendors_region_has_one_neutral_name() {
        for regions in [AWS, AZURE, GCP] {
            assert_eq!(regions.iter().map(|region| region.1).collect::<HashSet<_>>().len(), regions.len());
        }
    }
}
