//! Target groups behind the rule of an environment, with their weights.

use crate::request::Form;
use crate::xml::Element;

/// Weight of the target group that visitors see.
const SHOWN: u32 = 100;

/// Weight of target groups while nothing is shown: one behind a rule is checked for health, and weights that are all zero are not
/// documented.
const ALONE: u32 = 1;

/// Most target groups of a rule ("Quotas for your Application Load Balancers").
const MOST: usize = 5;

/// Target groups behind a rule, oldest first, with their weights. Without any the rule answers by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Routes(Vec<(String, u32)>);

impl Routes {
    /// Those of a rule as Elastic Load Balancing describes it.
    pub fn read(rule: &Element) -> Self {
        let actions = rule.items("Actions").iter().filter(|action| action.text_at("Type") == "forward");
        let groups = actions.flat_map(|action| action.items("ForwardConfig/TargetGroups"));
        let group = |group: &Element| (group.text_at("TargetGroupArn").to_owned(), group.text_at("Weight").parse().unwrap_or(0));
        Self(groups.map(group).collect())
    }

    /// Fields of a request that makes them so.
    pub fn write(&self) -> Form {
        let action = "Actions.member.1";
        if self.0.is_empty() {
            let answer = format!("{action}.FixedResponseConfig");
            return Form::default()
                .with(format!("{action}.Type"), "fixed-response")
                .with(format!("{answer}.StatusCode"), "503")
                .with(format!("{answer}.ContentType"), "text/plain")
                .with(format!("{answer}.MessageBody"), "Nothing is shown here yet.");
        }
        let form = Form::default().with(format!("{action}.Type"), "forward");
        self.0.iter().enumerate().fold(form, |form, (number, (group, weight))| {
            let place = format!("{action}.ForwardConfig.TargetGroups.member.{}", number + 1);
            form.with(format!("{place}.TargetGroupArn"), group).with(format!("{place}.Weight"), weight.to_string())
        })
    }

    /// The target group that visitors see.
    pub fn shown(&self) -> Option<&str> {
        self.0.iter().find(|(_, weight)| *weight >= SHOWN).map(|(group, _)| group.as_str())
    }

    /// Returns true if a target group is behind the rule.
    pub fn has(&self, group: &str) -> bool {
        self.0.iter().any(|(known, _)| known == group)
    }

    /// The same with a target group that visitors do not see. The oldest that they do not see gives way where there is no room.
    #[must_use]
    pub fn with(mut self, group: &str) -> Self {
        if self.has(group) {
            return self;
        }
        if self.0.len() >= MOST
            && let Some(oldest) = self.0.iter().position(|(_, weight)| *weight < SHOWN)
        {
            self.0.remove(oldest);
        }
        let weight = if self.shown().is_some() { 0 } else { ALONE };
        self.0.push((group.to_owned(), weight));
        self
    }

    /// The same with this target group for all visitors.
    #[must_use]
    pub fn showing(self, group: &str) -> Self {
        let all = self.with(group).0.into_iter();
        Self(all.map(|(known, _)| if known == group { (known, SHOWN) } else { (known, 0) }).collect())
    }

    /// The same without a target group. Without the one that visitors see nothing is left, so that they see no other in its place.
    #[must_use]
    pub fn without(mut self, group: &str) -> Self {
        if self.shown() == Some(group) {
            return Self::default();
        }
        self.0.retain(|(known, _)| known != group);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, u32)]) -> Routes {
        Routes(pairs.iter().map(|(group, weight)| ((*group).to_owned(), *weight)).collect())
    }

    #[test]
    fn a_new_target_group_is_checked_and_not_seen_until_it_is_shown() {
        let first = Routes::default().with("a");
        assert_eq!((first.clone(), first.shown()), (of(&[("a", 1)]), None));
        let shown = first.showing("a");
        assert_eq!(shown.shown(), Some("a"));
        let second = shown.with("b");
        assert_eq!(second, of(&[("a", 100), ("b", 0)]));
        assert_eq!(second.clone().with("b"), second);
        let switched = second.showing("b");
        assert_eq!(switched, of(&[("a", 0), ("b", 100)]));
        assert_eq!(switched.clone().without("a"), of(&[("b", 100)]));
        assert_eq!(switched.without("b"), Routes::default());
    }

    #[test]
    fn what_is_shown_never_gives_way() {
        let full = of(&[("a", 100), ("b", 0), ("c", 0), ("d", 0), ("e", 0)]);
        assert_eq!(full.with("f"), of(&[("a", 100), ("c", 0), ("d", 0), ("e", 0), ("f", 0)]));
    }

    #[test]
    fn a_rule_is_read() {
        let group = |arn: &str, weight: &str| {
            Element::with("member", [Element::text("TargetGroupArn", arn), Element::text("Weight", weight)])
        };
        let groups = Element::with("TargetGroups", [group("a", "0"), group("b", "100")]);
        let action = Element::with("member", [Element::text("Type", "forward"), Element::with("ForwardConfig", [groups])]);
        let rule = Element::with("member", [Element::with("Actions", [action])]);
        assert_eq!(Routes::read(&rule), of(&[("a", 0), ("b", 100)]));
        let fixed = Element::with("member", [Element::text("Type", "fixed-response")]);
        assert_eq!(Routes::read(&Element::with("member", [Element::with("Actions", [fixed])])), Routes::default());
    }
}
