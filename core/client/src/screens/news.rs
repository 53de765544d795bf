//! The inbox, and the line about sync.

use innsync_domain::{Announcement, Notification};
use innsync_engine::{ConnectionState, StoreError, SyncStatus};
use innsync_store::Query;

use super::glance::Glance;
use super::{Inbox, InboxItem, SyncLine, SyncState};

pub(super) fn inbox(glance: &Glance<'_>) -> Result<Inbox, StoreError> {
    let notifications = glance.query::<Notification>(&Query::notifications())?;
    let unread = notifications.iter().filter(|it| it.read_at.is_none()).count();
    let announcements = glance.query::<Announcement>(&Query::announcements().unexpired_at(glance.now))?;
    let mut items: Vec<InboxItem> = notifications.into_iter().map(InboxItem::from).collect();
    items.extend(announcements.into_iter().map(InboxItem::from));
    // Marking one as read changes when it last changed: it must not jump to the top by that.
    items.sort_by_key(|item| (item.read, std::cmp::Reverse(item.at), item.id));
    Ok(Inbox { items, unread_count: u32::try_from(unread).unwrap_or(u32::MAX) })
}

impl From<Notification> for InboxItem {
    fn from(it: Notification) -> Self {
        Self {
            id: it.id,
            is_announcement: false,
            title: it.title,
            message: it.message,
            priority: it.priority.as_str().to_owned(),
            related_entity_id: it.related_entity_id,
            at: it.updated_at,
            read: it.read_at.is_some(),
        }
    }
}

impl From<Announcement> for InboxItem {
    fn from(it: Announcement) -> Self {
        Self {
            id: it.id,
            is_announcement: true,
            title: it.title,
            message: it.message,
            priority: it.priority.as_str().to_owned(),
            related_entity_id: None,
            at: it.created_at,
            read: false,
        }
    }
}

pub(super) fn sync_line(glance: &Glance<'_>) -> Result<SyncLine, StoreError> {
    let status = &glance.status;
    Ok(SyncLine {
        state: if glance.read_only { SyncState::UpdateRequired } else { state(status) },
        pending: status.pending_changes,
        parked: status.parked,
        up_to_date_as_of: status.up_to_date_as_of,
    })
}

/// Never "up to date" with something unsent or parked (G10).
fn state(status: &SyncStatus) -> SyncState {
    if status.needs_sign_in {
        SyncState::SignInRequired
    } else if status.parked > 0 {
        SyncState::NeedsYou
    } else if !status.is_online && status.connection != ConnectionState::Connected {
        SyncState::Offline
    } else if !status.has_data {
        SyncState::FirstSync
    } else if status.sync_in_progress || status.pending_changes > 0 || status.up_to_date_as_of.is_none() {
        SyncState::Syncing
    } else {
        SyncState::UpToDate
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use innsync_domain::Timestamp;

    #[test]
    fn the_line_is_never_better_than_the_truth() {
        let synced = SyncStatus {
            connection: ConnectionState::Connected,
            is_online: true,
            up_to_date_as_of: Some(Timestamp::from_millis(1)),
            has_data: true,
            ..SyncStatus::BLANK
        };
        assert_eq!(state(&synced), SyncState::UpToDate);
        assert_eq!(state(&SyncStatus { pending_changes: 1, ..synced }), SyncState::Syncing);
        assert_eq!(state(&SyncStatus { parked: 1, ..synced }), SyncState::NeedsYou);
        let offline = SyncStatus { connection: ConnectionState::Reconnecting, is_online: false, ..synced };
        assert_eq!(state(&offline), SyncState::Offline);
        assert_eq!(state(&SyncStatus { has_data: false, ..synced }), SyncState::FirstSync);
        assert_eq!(
            state(&SyncStatus { needs_sign_in: true, parked: 3, ..synced }),
            SyncState::SignInRequired
        );
    }
}
