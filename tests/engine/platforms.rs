//! Images whose content depends on the platform.

use serde_json::Value;

use crate::support::archive::Image;
use crate::support::daemon;
use crate::support::workspace::Workspace;

/// An image with a file for each platform, and a component that only one of them has.
fn workspace() -> Workspace {
    let workspace = Workspace::new();
    workspace
        .files_component(
            "tool",
            "[[install]]\nfrom = \"dist/{os}/{arch}/tool\"\nto = \"/usr/bin/tool\"\nmode = \"0755\"\n",
        )
        .write("components/tool/dist/linux/amd64/tool", "for amd64")
        .write("components/tool/dist/linux/arm64/tool", "for arm64")
        .files_component("extra", "[[install]]\nfrom = \"extra\"\nto = \"/usr/share/extra\"\n")
        .write("components/extra/extra", "extra")
        .image("app", &["tool", "extra"], "");
    let path = workspace.root().join("images/app/image.toml");
    let text = std::fs::read_to_string(path).unwrap();
    workspace.write(
        "images/app/image.toml",
        text.replace("extra = {}", "extra = { exclude-platforms = [\"linux/arm64\"] }"),
    );
    workspace
}

/// Nothing is run in such an image, so that any daemon can build it for any platform.
#[test]
fn an_image_holds_what_its_platform_has() {
    if !daemon() {
        return;
    }
    let workspace = workspace();
    for (platform, content, components) in
        [("linux/amd64", "for amd64", "extra@1.0.0,tool@1.0.0"), ("linux/arm64", "for arm64", "tool@1.0.0")]
    {
        let metadata = workspace.beside("metadata.json");
        let written = metadata.to_str().unwrap();
        workspace.run(["build", "--platform", platform, "--metadata-file", written]).expect(0);
        let image = Image::of_daemon(&workspace.tag("app:1.0.0"));
        assert_eq!(image.read("/usr/bin/tool"), content.as_bytes(), "{platform}");
        assert_eq!(image.tree.contains_key("/usr/share/extra"), components.contains("extra"), "{platform}");
        assert_eq!(image.config["Labels"]["dev.groupage.components"], components, "{platform}");
        let metadata: Value = serde_json::from_slice(&std::fs::read(&metadata).unwrap()).unwrap();
        assert_eq!(
            image.config["Labels"]["dev.groupage.fingerprint"], metadata["app"]["groupage.fingerprint"],
            "{platform}"
        );
    }
}

/// Without a word the platform is that of the daemon, and the image the same.
#[test]
fn the_platform_of_the_daemon_is_the_usual_one() {
    if !daemon() {
        return;
    }
    let workspace = workspace();
    let architecture = crate::support::docker(["version", "--format", "{{.Server.Arch}}"]);
    workspace.run(["build"]).expect(0);
    let usual = Image::of_daemon(&workspace.tag("app:1.0.0"));
    assert_eq!(usual.read("/usr/bin/tool"), format!("for {architecture}").as_bytes());
    workspace.run(["build", "--platform", &format!("linux/{architecture}")]).expect(0);
    let named = Image::of_daemon(&workspace.tag("app:1.0.0"));
    assert_eq!((named.tree, named.config), (usual.tree, usual.config));
}
