//! Schedules: what is done again and again, and when. Pure: the time comes from outside.

use std::fmt;
use std::str::FromStr;

use chrono::TimeDelta;
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds};
use serde::{Deserialize, Serialize};

use crate::id::{ProjectId, ScheduleId, TeamId, UserId};
use crate::time::Timestamp;

/// Delay after which a due run counts as missed.
pub const MISSED_AFTER: TimeDelta = TimeDelta::seconds(60);

/// The most due times that are looked at in one step; a schedule that was away for longer begins anew after them.
const MOST_AT_ONCE: usize = 1000;

/// A schedule of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct Schedule {
    /// Identity.
    pub id: ScheduleId,
    /// The team that owns it.
    pub team_id: TeamId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// The environment it works on.
    pub environment: String,
    /// Name of the schedule, unique in a project.
    pub name: String,
    /// Times of the runs, as a cron expression of 5 fields, or 6 with seconds first.
    pub cron: String,
    /// Time zone, such as `Europe/Berlin`.
    pub time_zone: String,
    /// Action of the schedule.
    #[cfg_attr(feature = "sqlx", sqlx(json))]
    pub action: Action,
    /// Treatment of times at which no process ran.
    pub missed: MissedRuns,
    /// Enables the schedule.
    pub enabled: bool,
    /// Timeout of one run, seconds.
    pub timeout_seconds: i64,
    /// Next due time; `None` if it is disabled, or never due again.
    pub next_due_at: Option<Timestamp>,
    /// User on whose behalf it acts.
    pub created_by: UserId,
    /// Creation time.
    pub created_at: Timestamp,
}

/// Action of a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// Deploys the project's repository.
    Deploy,
    /// Requests a path of what the environment shows, as a function that does something regularly wants it.
    Request {
        /// The path, with its query.
        path: String,
    },
}

/// Treatment of due times that were missed, because no process ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "TEXT", rename_all = "snake_case"))]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum))]
pub enum MissedRuns {
    /// None of them is made up for.
    Skip,
    /// The latest is.
    Latest,
    /// All are, one by one.
    All,
}

/// State of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "TEXT", rename_all = "snake_case"))]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum))]
pub enum RunState {
    /// It is due and waits for a worker.
    Waiting,
    /// A worker is at it.
    Running,
    /// It went well.
    Done,
    /// It did not.
    Failed,
    /// It was missed, and not made up for.
    Skipped,
}

/// One time at which a schedule was due: an entry of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct ExpectedRun {
    /// The schedule.
    pub schedule_id: ScheduleId,
    /// Due time of the run; there is one run for each time.
    pub due_at: Timestamp,
    /// The team that owns it.
    pub team_id: TeamId,
    /// State of the run.
    pub state: RunState,
    /// Deadline of the run's progress; after that an alert is raised.
    pub deadline: Timestamp,
    /// Outcome of the run, for people.
    pub outcome: Option<String>,
    /// Time at which a worker began.
    pub started_at: Option<Timestamp>,
    /// Time at which it ended.
    pub finished_at: Option<Timestamp>,
}

/// Reason for which a text is not a timetable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimetableError {
    /// Not a cron expression.
    #[error("`{0}` is no cron expression ({1}): give 5 fields, such as `*/15 * * * *` or `0 3 * * MON`")]
    Cron(String, String),
    /// Not a time zone.
    #[error("`{0}` is no time zone: give a name of the IANA database, such as `UTC` or `Europe/Berlin`")]
    TimeZone(String),
    /// A time that never comes.
    #[error("`{0}` never comes: check the day and the month")]
    Never(String),
}

/// Timetable of due times.
#[derive(Clone)]
pub struct Timetable {
    cron: Cron,
    time_zone: Tz,
}

impl fmt::Debug for Timetable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.cron.as_str(), self.time_zone)
    }
}

/// Run that is due at some moment.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// The times to run for, in order.
    pub runs: Vec<Timestamp>,
    /// The times that were missed and are not made up for.
    pub skipped: Vec<Timestamp>,
    /// The next time; `None` when there is none any more.
    pub next: Option<Timestamp>,
}

impl Timetable {
    /// A time table from a cron expression and a time zone.
    pub fn parse(cron: &str, time_zone: &str) -> Result<Self, TimetableError> {
        let shown = |text: &str| text.chars().take(60).collect::<String>();
        let parser = CronParser::builder().seconds(Seconds::Optional).build();
        let parsed = parser.parse(cron).map_err(|error| TimetableError::Cron(shown(cron), error.to_string()))?;
        let time_zone = Tz::from_str(time_zone).map_err(|_| TimetableError::TimeZone(shown(time_zone)))?;
        Ok(Self { cron: parsed, time_zone })
    }

    /// The first time after a moment. In a time zone that changes its clocks, a time that is skipped comes right after the gap, and one
    /// that comes twice counts once.
    pub fn next_after(&self, moment: Timestamp) -> Option<Timestamp> {
        let next = self.cron.find_next_occurrence(&moment.with_timezone(&self.time_zone), false).ok()?;
        Some(next.with_timezone(&chrono::Utc))
    }

    /// Returns the run that is due now, with `next` as the next time on record.
    pub fn due(&self, next: Timestamp, now: Timestamp, missed: MissedRuns) -> Due {
        let mut due = Due::default();
        let mut late = Vec::new();
        let mut time = Some(next);
        while let Some(at) = time.filter(|at| *at <= now) {
            if late.len() + due.runs.len() >= MOST_AT_ONCE {
                time = self.next_after(now);
                break;
            }
            if now - at > MISSED_AFTER {
                late.push(at);
            } else {
                due.runs.push(at);
            }
            time = self.next_after(at);
        }
        due.next = time;
        let made_up = match missed {
            MissedRuns::Skip => Vec::new(),
            MissedRuns::Latest => late.pop().into_iter().collect(),
            MissedRuns::All => std::mem::take(&mut late),
        };
        due.runs.splice(0..0, made_up);
        due.skipped = late;
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn every_minute() -> Timetable {
        Timetable::parse("* * * * *", "UTC").unwrap()
    }

    #[test]
    fn what_is_wrong_is_said_with_the_remedy() {
        let error = |cron, zone| Timetable::parse(cron, zone).unwrap_err().to_string();
        assert!(error("61 * * * *", "UTC").contains("`61 * * * *` is no cron expression"));
        assert!(error("", "UTC").contains("5 fields"));
        assert!(error("* * * * *", "Mars/Base").contains("`Mars/Base` is no time zone"));
    }

    #[test]
    fn times_follow_the_zone_through_changes_of_its_clock() {
        let table = Timetable::parse("30 2 * * *", "Europe/Berlin").unwrap();
        let day = |text: &str| table.next_after(at(text)).unwrap().to_rfc3339();
        assert_eq!(day("2026-07-01T00:00:00Z"), "2026-07-01T00:30:00+00:00");
        assert_eq!(day("2026-12-01T00:00:00Z"), "2026-12-01T01:30:00+00:00");
        // 2026-03-29 has no 02:30 in Berlin; 2026-10-25 has two.
        assert!(day("2026-03-28T12:00:00Z").starts_with("2026-03-29T01:"));
        let first = table.next_after(at("2026-10-24T12:00:00Z")).unwrap();
        assert!(table.next_after(first).unwrap() > at("2026-10-26T00:00:00Z"));
    }

    #[test]
    fn times_that_were_missed_are_made_up_for_as_asked() {
        let (next, now) = (at("2026-01-01T10:00:00Z"), at("2026-01-01T10:05:30Z"));
        let due = |missed| every_minute().due(next, now, missed);
        let minutes = |times: &[Timestamp]| times.iter().map(|time| time.format("%M").to_string()).collect::<Vec<_>>();
        let all = due(MissedRuns::All);
        assert_eq!((minutes(&all.runs), all.skipped.len()), (["00", "01", "02", "03", "04", "05"].map(String::from).to_vec(), 0));
        let latest = due(MissedRuns::Latest);
        assert_eq!((minutes(&latest.runs), latest.skipped.len()), (["04", "05"].map(String::from).to_vec(), 4));
        let skip = due(MissedRuns::Skip);
        assert_eq!((minutes(&skip.runs), skip.skipped.len()), (["05"].map(String::from).to_vec(), 5));
        assert!([all.next, latest.next, skip.next].iter().all(|next| *next == Some(at("2026-01-01T10:06:00Z"))));
    }

    #[test]
    fn nothing_is_due_early_and_a_year_away_does_not_run_for_ever() {
        let (next, now) = (at("2026-01-01T10:00:00Z"), at("2027-01-01T10:00:00Z"));
        assert_eq!(
            every_minute().due(next, at("2026-01-01T09:59:59Z"), MissedRuns::All),
            Due { next: Some(next), ..Due::default() }
        );
        let due = every_minute().due(next, now, MissedRuns::All);
        assert!(due.runs.len() <= MOST_AT_ONCE && due.next > Some(now));
        let never = Timetable::parse("0 0 30 2 *", "UTC").unwrap();
        assert_eq!(never.next_after(now), None);
    }
}
