//! Addresses of resources.

/// Address of a resource, of a collection of resources, or of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Id {
    /// As the caller wrote it, without an action.
    pub path: String,
    pub subscription: String,
    /// Name of the resource group, where there is one.
    pub group: Option<String>,
    /// Everything before the last `/providers/`: a subscription, a group, or another resource.
    pub scope: String,
    pub namespace: String,
    /// Types below the namespace, such as `containerApps` and `revisions`.
    pub types: Vec<String>,
    /// Names of the types; a collection's last type has none.
    pub names: Vec<String>,
    /// Last part of an action, such as `listKeys`; empty for others.
    pub action: String,
}

impl Id {
    /// Reads the parts of a path; `is_action` says that an odd last part is an action. `None` if it is no resource's.
    pub fn parse(parts: &[String], is_action: bool) -> Option<Self> {
        let is = |part: &String, name: &str| part.eq_ignore_ascii_case(name);
        let at = parts.iter().rposition(|part| is(part, "providers"))?;
        let (scope, rest) = (&parts[..at], &parts[at + 1..]);
        let (namespace, mut rest) = rest.split_first()?;
        let mut action = String::new();
        if is_action && rest.len() % 2 == 1 {
            let (last, before) = rest.split_last()?;
            action.clone_from(last);
            rest = before;
        }
        let subscription = scope.get(1).filter(|_| scope.first().is_some_and(|part| is(part, "subscriptions")))?;
        let group = scope.get(3).filter(|_| is(&scope[2], "resourcegroups")).cloned();
        let join = |parts: &[String]| parts.iter().map(|part| format!("/{part}")).collect::<Vec<_>>().concat();
        Some(Self {
            path: join(scope) + "/providers/" + namespace + &join(rest),
            subscription: subscription.clone(),
            group,
            scope: join(scope),
            namespace: namespace.clone(),
            types: rest.iter().step_by(2).cloned().collect(),
            names: rest.iter().skip(1).step_by(2).cloned().collect(),
            action,
        })
    }

    /// The address of a resource by its path, as bodies carry it.
    pub fn of(path: &str) -> Option<Self> {
        let parts: Vec<String> = path.trim_matches('/').split('/').map(str::to_owned).collect();
        Self::parse(&parts, false)
    }

    /// Type with its namespace, such as `Microsoft.App/containerApps`, as the caller wrote it.
    pub fn kind(&self) -> String {
        format!("{}/{}", self.namespace, self.types.join("/"))
    }

    /// Key in the sandbox: addresses are the same in any case.
    pub fn key(&self) -> String {
        self.path.to_ascii_lowercase()
    }

    /// Last name; empty for a collection.
    pub fn name(&self) -> &str {
        if self.is_collection() { "" } else { self.names.last().map_or("", String::as_str) }
    }

    pub fn is_collection(&self) -> bool {
        self.names.len() < self.types.len()
    }

    /// Key of the resource above, of which this one is a part.
    pub fn parent_key(&self) -> Option<String> {
        (self.types.len() > 1).then(|| self.key().rsplitn(3, '/').nth(2).map(str::to_owned)).flatten()
    }

    /// Key of the resource group.
    pub fn group_key(&self) -> Option<String> {
        let group = self.group.as_ref()?;
        Some(format!("/subscriptions/{}/resourcegroups/{group}", self.subscription).to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(path: &str, is_action: bool) -> Id {
        let parts: Vec<String> = path.trim_matches('/').split('/').map(str::to_owned).collect();
        Id::parse(&parts, is_action).unwrap()
    }

    #[test]
    fn addresses_have_scopes_types_and_names() {
        let path = "/subscriptions/S/resourceGroups/Rg/providers/Microsoft.App/containerApps/web/revisions/web--d1";
        let id = parse(path, false);
        assert_eq!((id.kind().as_str(), id.name()), ("Microsoft.App/containerApps/revisions", "web--d1"));
        assert_eq!(id.parent_key().unwrap(), "/subscriptions/s/resourcegroups/rg/providers/microsoft.app/containerapps/web");
        assert_eq!(id.group_key().unwrap(), "/subscriptions/s/resourcegroups/rg");
        let action = parse(&format!("{path}/activate"), true);
        assert_eq!((action.path.as_str(), action.action.as_str()), (path, "activate"));
        let list = parse("/subscriptions/S/resourceGroups/Rg/providers/Microsoft.App/containerApps", false);
        assert!(list.is_collection() && list.parent_key().is_none());
        let role = parse(&format!("{path}/providers/Microsoft.Authorization/roleAssignments/1"), false);
        assert_eq!((role.scope.as_str(), role.group.as_deref()), (path, Some("Rg")));
        assert!(Id::of("/subscriptions/s/resourceGroups/r").is_none());
    }
}
