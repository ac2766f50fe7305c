//! The resources that Velero can meet, as far as they are known: those of Kubernetes itself, and third-party ones that own pods.
//!
//! A name that is not in the table may be that of a custom resource, if its group has a dot and is none of Kubernetes. The
//! core group and the groups of Kubernetes are closed: a resource that is not listed there cannot match. The list is that of
//! Kubernetes 1.18 to 1.34, betas among them.

use std::sync::LazyLock;

use super::glob::Glob;

/// One resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// As in `groupResource`.
    pub name: String,
    /// Its plural.
    pub resource: &'static str,
    /// Its group; empty for the core group.
    pub group: &'static str,
    /// What it has to do with pods.
    pub pods: Pods,
}

/// What a resource has to do with pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pods {
    /// Nothing, or nothing that a change of it does to running ones.
    None,
    /// It is a pod.
    Itself,
    /// It has a template at `/spec/template`, and replaces its pods when that changes.
    Rollout(Names),
    /// It has a template there, and leaves pods alone.
    Template,
}

/// How pods are named after what owns them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// `NAME-HASH-RANDOM`.
    Hashed,
    /// `NAME-RANDOM`.
    Random,
    /// `NAME-NUMBER`.
    Numbered,
    /// `NAME-NUMBER-RANDOM`.
    NumberedRandom,
}

impl Kind {
    fn new(resource: &'static str, group: &'static str, pods: Pods) -> Self {
        let name = if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") };
        Self { name, resource, group, pods }
    }

    /// Whether Kubernetes itself has it, so that Velero knows how to merge it strategically.
    pub fn is_built_in(&self) -> bool {
        BUILT_IN.iter().any(|(group, _)| *group == self.group)
    }
}

/// Groups of Kubernetes and their resources.
const BUILT_IN: &[(&str, &str)] = &[
    (
        "",
        "bindings componentstatuses configmaps endpoints events limitranges namespaces nodes persistentvolumeclaims \
         persistentvolumes pods podtemplates replicationcontrollers resourcequotas secrets serviceaccounts services",
    ),
    ("apps", "controllerrevisions daemonsets deployments replicasets statefulsets"),
    ("batch", "cronjobs jobs"),
    ("autoscaling", "horizontalpodautoscalers"),
    ("policy", "poddisruptionbudgets podsecuritypolicies"),
    ("extensions", "daemonsets deployments ingresses networkpolicies podsecuritypolicies replicasets"),
    ("networking.k8s.io", "ingresses ingressclasses networkpolicies ipaddresses servicecidrs clustercidrs"),
    ("rbac.authorization.k8s.io", "clusterrolebindings clusterroles rolebindings roles"),
    (
        "storage.k8s.io",
        "csidrivers csinodes csistoragecapacities storageclasses volumeattachments volumeattributesclasses",
    ),
    (
        "admissionregistration.k8s.io",
        "mutatingwebhookconfigurations validatingwebhookconfigurations validatingadmissionpolicies \
         validatingadmissionpolicybindings mutatingadmissionpolicies mutatingadmissionpolicybindings",
    ),
    ("apiextensions.k8s.io", "customresourcedefinitions"),
    ("apiregistration.k8s.io", "apiservices"),
    ("certificates.k8s.io", "certificatesigningrequests clustertrustbundles podcertificaterequests"),
    ("coordination.k8s.io", "leases leasecandidates"),
    ("discovery.k8s.io", "endpointslices"),
    ("events.k8s.io", "events"),
    ("flowcontrol.apiserver.k8s.io", "flowschemas prioritylevelconfigurations"),
    ("node.k8s.io", "runtimeclasses"),
    ("scheduling.k8s.io", "priorityclasses workloads"),
    ("resource.k8s.io", "deviceclasses devicetaintrules resourceclaims resourceclaimtemplates resourceslices"),
];

/// Resources of others that own pods and replace them.
const OTHERS: &[(&str, &str, Pods)] = &[
    ("deploymentconfigs", "apps.openshift.io", Pods::Rollout(Names::NumberedRandom)),
    ("rollouts", "argoproj.io", Pods::Rollout(Names::Hashed)),
    ("clonesets", "apps.kruise.io", Pods::Rollout(Names::Random)),
    ("statefulsets", "apps.kruise.io", Pods::Rollout(Names::Numbered)),
    ("daemonsets", "apps.kruise.io", Pods::Rollout(Names::Random)),
];

static ALL: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    let mut kinds = Vec::new();
    for (group, resources) in BUILT_IN {
        kinds.extend(resources.split_whitespace().map(|resource| Kind::new(resource, group, pods(group, resource))));
    }
    kinds.extend(OTHERS.iter().map(|(resource, group, pods)| Kind::new(resource, group, *pods)));
    kinds
});

/// Every resource that is known.
pub fn all() -> &'static [Kind] {
    &ALL
}

/// Those that a glob matches.
pub fn matching(glob: &Glob) -> impl Iterator<Item = &'static Kind> {
    ALL.iter().filter(|kind| glob.is_match(&kind.name))
}

/// Whether a group is one of Kubernetes itself.
pub fn is_built_in_group(group: &str) -> bool {
    BUILT_IN.iter().any(|(known, _)| *known == group)
}

fn pods(group: &str, resource: &str) -> Pods {
    match (group, resource) {
        ("", "pods") => Pods::Itself,
        ("apps" | "extensions", "deployments") => Pods::Rollout(Names::Hashed),
        ("apps" | "extensions", "daemonsets" | "replicasets") => Pods::Rollout(Names::Random),
        ("apps", "statefulsets") => Pods::Rollout(Names::Numbered),
        ("", "replicationcontrollers") | ("batch", "jobs") => Pods::Template,
        _ => Pods::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_rollouts() {
        let kinds = all();
        let rollouts: Vec<&str> =
            kinds.iter().filter(|kind| matches!(kind.pods, Pods::Rollout(_))).map(|kind| kind.name.as_str()).collect();
        assert_eq!(
            rollouts,
            [
                "daemonsets.apps",
                "deployments.apps",
                "replicasets.apps",
                "statefulsets.apps",
                "daemonsets.extensions",
                "deployments.extensions",
                "replicasets.extensions",
                "deploymentconfigs.apps.openshift.io",
                "rollouts.argoproj.io",
                "clonesets.apps.kruise.io",
                "statefulsets.apps.kruise.io",
                "daemonsets.apps.kruise.io",
            ]
        );
        assert!(kinds.iter().any(|kind| kind.name == "pods" && kind.is_built_in()));
        assert!(!is_built_in_group("argoproj.io"));
    }
}
