//! What an image promises, as it says it itself: [`DESCRIPTION`](crate::render::DESCRIPTION), read back. The same text made
//! from a plan is what the image should promise, so both are one type and can be compared.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The description of an image. What it does not say is empty; what we do not know of it is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Contract {
    /// The image definition.
    pub image: String,
    /// The variant.
    #[serde(default)]
    pub variant: Option<String>,
    /// The component that it is the image of.
    #[serde(default)]
    pub part: Option<String>,
    /// How components are put together.
    #[serde(default)]
    pub mode: String,
    /// `scratch`, where that is the base; others are not named.
    #[serde(default)]
    pub base: String,
    /// Features of the image.
    #[serde(default)]
    pub features: Vec<String>,
    /// What is in it.
    #[serde(default)]
    pub components: Vec<Component>,
    /// The program that holds the cargo components.
    #[serde(default)]
    pub multicall: Option<Component>,
}

/// One component.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Component {
    /// Its name.
    pub name: String,
    /// Its version.
    #[serde(default)]
    pub version: String,
    /// Its features.
    #[serde(default)]
    pub features: Vec<String>,
    /// How it is started.
    #[serde(default)]
    pub roles: BTreeMap<String, Role>,
    /// What it puts into the image, by path; absent in descriptions of earlier versions.
    #[serde(default)]
    pub files: Option<BTreeMap<String, Declared>>,
}

/// How a role is started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Role {
    /// Program and arguments.
    #[serde(default)]
    pub command: Vec<String>,
    /// Arguments that the image gives when a consumer gives none.
    #[serde(default)]
    pub args: Vec<String>,
    /// User and group.
    #[serde(default)]
    pub user: String,
    /// Working folder.
    #[serde(default)]
    pub workdir: String,
    /// `9533/tcp`.
    #[serde(default)]
    pub ports: Vec<String>,
    /// Environment that it relies on.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Folders that hold what outlives a container.
    #[serde(default)]
    pub volumes: Vec<String>,
    /// The signal that ends it.
    #[serde(default)]
    pub stop_signal: Option<String>,
    /// How it is asked whether it is well, as the plan has it.
    #[serde(default)]
    pub healthcheck: Option<serde_json::Value>,
    /// What the base or another component must give.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Old paths of the program.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Security boundary.
    #[serde(default)]
    pub boundary: Option<String>,
    /// A command that has to end with 0.
    #[serde(default)]
    pub probe: Option<Vec<String>>,
}

/// What is declared of a path. With nothing but a mode, or nothing at all, it may be a folder: then all in it is declared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Declared {
    /// Permission bits in octal digits.
    #[serde(default)]
    pub mode: Option<String>,
    /// Whether it is a file whose digest is in the label of the image.
    #[serde(default)]
    pub hashed: bool,
    /// The target of a link.
    #[serde(default)]
    pub link: Option<String>,
}

impl Contract {
    /// Reads a description.
    ///
    /// # Errors
    /// It is none, in words.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(text).map_err(|error| error.to_string())
    }

    /// Every role with its name and its component.
    pub fn roles(&self) -> impl Iterator<Item = (&Component, &str, &Role)> {
        self.components.iter().flat_map(|part| part.roles.iter().map(move |(name, role)| (part, name.as_str(), role)))
    }

    /// Every declared path with its component.
    pub fn files(&self) -> impl Iterator<Item = (&Component, &str, &Declared)> {
        self.components.iter().chain(&self.multicall).flat_map(|part| {
            let files = part.files.iter().flatten();
            files.map(move |(path, declared)| (part, path.as_str(), declared))
        })
    }

    /// `IMAGE[/COMPONENT][=VARIANT]`, as on the command line.
    pub fn id(&self) -> String {
        let part = self.part.as_ref().map(|part| format!("/{part}")).unwrap_or_default();
        let variant = self.variant.as_ref().map(|variant| format!("={variant}")).unwrap_or_default();
        format!("{}{part}{variant}", self.image)
    }
}

impl Role {
    /// The program.
    pub fn program(&self) -> Option<&str> {
        self.command.first().map(String::as_str)
    }
}

impl Declared {
    /// The permission bits; nothing where none are declared, or none that are a number.
    pub fn mode(&self) -> Option<u32> {
        u32::from_str_radix(self.mode.as_deref()?, 8).ok()
    }

    /// Whether it is known to be one file or link.
    pub fn is_single(&self) -> bool {
        self.hashed || self.link.is_some()
    }
}
