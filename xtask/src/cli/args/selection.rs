//! What to work on: images, features, modes.

use clap::Args;

use super::ModeChoice;
use crate::manifest::FeatureValue;
use crate::resolve::ImageSelector;

/// What to work on.
#[derive(Debug, Clone, Default, Args)]
pub struct SelectionArguments {
    /// Images, as IMAGE, IMAGE=VARIANT or IMAGE=* (all variants), or IMAGE/COMPONENT where it is split; all images when absent
    #[arg(value_name = "IMAGE[=VARIANT]")]
    pub images: Vec<ImageSelector>,
    /// Features to turn on, separated by commas or spaces: FEATURE of an image, or COMPONENT/FEATURE
    #[arg(short = 'F', long, value_name = "FEATURES", value_delimiter = ',', value_parser = features, help_heading = "Feature selection")]
    pub features: Vec<FeatureList>,
    /// Turn on all features of the selected images
    #[arg(long, help_heading = "Feature selection")]
    pub all_features: bool,
    /// Leave the default features of the selected images off
    #[arg(long, help_heading = "Feature selection")]
    pub no_default_features: bool,
    /// How components are put together, instead of what the definition says; several, separated by commas, to compare them
    #[arg(long = "mode", value_name = "MODE", value_delimiter = ',', value_enum)]
    pub modes: Vec<ModeChoice>,
}

/// Features of one word, which may itself hold several.
#[derive(Debug, Clone)]
pub struct FeatureList(pub Vec<FeatureValue>);

/// Which features are on, where images are named otherwise.
#[derive(Debug, Clone, Default, Args)]
pub struct FeatureArguments {
    /// Features to turn on
    #[arg(short = 'F', long, value_name = "FEATURES", value_delimiter = ',', value_parser = features)]
    pub features: Vec<FeatureList>,
    /// Turn on all features
    #[arg(long)]
    pub all_features: bool,
    /// Leave the default features off
    #[arg(long)]
    pub no_default_features: bool,
}

fn features(text: &str) -> Result<FeatureList, String> {
    let words =
        text.split_whitespace().map(|word| word.parse().map_err(|error: crate::manifest::NameError| error.to_string()));
    words.collect::<Result<_, _>>().map(FeatureList)
}

impl SelectionArguments {
    /// All features that are named.
    pub(in crate::cli) fn features(&self) -> FeatureArguments {
        FeatureArguments {
            features: self.features.clone(),
            all_features: self.all_features,
            no_default_features: self.no_default_features,
        }
    }
}
