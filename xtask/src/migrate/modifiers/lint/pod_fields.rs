//! The fields of pods, as far down as patches go, and which lists are merged by a key.
//!
//! From the types of `k8s.io/api/core/v1` up to Kubernetes 1.34.

use serde_json::Value;

/// What an object may hold.
pub(super) struct Fields {
    /// Names, all of them.
    names: &'static [&'static str],
    /// Fields that are known further down.
    below: &'static [(&'static str, Below)],
}

/// What is below a field.
enum Below {
    Object(&'static Fields),
    /// A list whose items are matched by this key.
    List(&'static str, &'static Fields),
}

/// What is wrong in a patch.
pub(super) enum Slip {
    /// A field that does not exist.
    Unknown { at: String, field: String, known: &'static [&'static str] },
    /// An item of a list without its key.
    NoKey { at: String, key: &'static str },
}

/// A pod, or its template.
pub(super) static POD: Fields = Fields {
    names: &["apiVersion", "kind", "metadata", "spec", "status"],
    below: &[("metadata", Below::Object(&METADATA)), ("spec", Below::Object(&SPEC))],
};

static METADATA: Fields = Fields {
    names: &[
        "name",
        "generateName",
        "namespace",
        "selfLink",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "labels",
        "annotations",
        "ownerReferences",
        "finalizers",
        "managedFields",
    ],
    below: &[],
};

static SPEC: Fields = Fields {
    names: &[
        "volumes",
        "initContainers",
        "containers",
        "ephemeralContainers",
        "restartPolicy",
        "terminationGracePeriodSeconds",
        "activeDeadlineSeconds",
        "dnsPolicy",
        "nodeSelector",
        "serviceAccountName",
        "serviceAccount",
        "automountServiceAccountToken",
        "nodeName",
        "hostNetwork",
        "hostPID",
        "hostIPC",
        "shareProcessNamespace",
        "securityContext",
        "imagePullSecrets",
        "hostname",
        "subdomain",
        "affinity",
        "schedulerName",
        "tolerations",
        "hostAliases",
        "priorityClassName",
        "priority",
        "dnsConfig",
        "readinessGates",
        "runtimeClassName",
        "enableServiceLinks",
        "preemptionPolicy",
        "overhead",
        "topologySpreadConstraints",
        "setHostnameAsFQDN",
        "os",
        "hostUsers",
        "schedulingGates",
        "resourceClaims",
        "resources",
        "hostnameOverride",
        "workloadRef",
    ],
    below: &[
        ("containers", Below::List("name", &CONTAINER)),
        ("initContainers", Below::List("name", &CONTAINER)),
        ("volumes", Below::List("name", &ANY)),
        ("imagePullSecrets", Below::List("name", &ANY)),
        ("affinity", Below::Object(&AFFINITY)),
    ],
};

static CONTAINER: Fields = Fields {
    names: &[
        "name",
        "image",
        "command",
        "args",
        "workingDir",
        "ports",
        "envFrom",
        "env",
        "resources",
        "resizePolicy",
        "restartPolicy",
        "restartPolicyRules",
        "volumeMounts",
        "volumeDevices",
        "livenessProbe",
        "readinessProbe",
        "startupProbe",
        "lifecycle",
        "terminationMessagePath",
        "terminationMessagePolicy",
        "imagePullPolicy",
        "securityContext",
        "stdin",
        "stdinOnce",
        "tty",
    ],
    below: &[
        ("env", Below::List("name", &ANY)),
        ("volumeMounts", Below::List("mountPath", &ANY)),
        ("volumeDevices", Below::List("devicePath", &ANY)),
        ("ports", Below::List("containerPort", &ANY)),
    ],
};

static AFFINITY: Fields = Fields { names: &["nodeAffinity", "podAffinity", "podAntiAffinity"], below: &[] };

/// Whatever it holds.
static ANY: Fields = Fields { names: &[], below: &[] };

/// Looks at an object of a patch. `at` is its path.
pub(super) fn check(value: &Value, fields: &Fields, at: &str, slips: &mut Vec<Slip>) {
    let Some(object) = value.as_object() else { return };
    for (name, value) in object {
        // `$patch`, `$retainKeys`, `$setElementOrder/…` are of the patch
        if !fields.names.is_empty() && !fields.names.contains(&name.as_str()) && !name.starts_with('$') {
            let at = if at.is_empty() { "a pod".to_owned() } else { format!("`{at}` of a pod") };
            slips.push(Slip::Unknown { at, field: name.clone(), known: fields.names });
        }
        let below = fields.below.iter().find(|(known, _)| known == name).map(|(_, below)| below);
        let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
        match below {
            Some(Below::Object(fields)) => check(value, fields, &path, slips),
            Some(Below::List(key, fields)) => {
                for item in value.as_array().into_iter().flatten() {
                    let is_directive = item.as_object().is_some_and(|item| item.contains_key("$patch"));
                    if item.get(key).is_none() && !is_directive {
                        slips.push(Slip::NoKey { at: format!("`{path}`"), key });
                    }
                    check(item, fields, &path, slips);
                }
            }
            None => {}
        }
    }
}
