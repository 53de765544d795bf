//! The seed's §6.4: an emergency.

use innsync_client::EffectBody;
use innsync_domain::{Command, Severity, derived_id};

use innsync_e2e::{Phone, becomes};

use crate::demo::World;

/// Whether the phone shows the emergency as it must.
fn alarmed(phone: &Phone) -> bool {
    phone.was_told(|effect| matches!(effect.body, EffectBody::EmergencyModal { .. }))
        && phone.was_told(|effect| matches!(effect.body, EffectBody::Sound { looping: true, .. }))
}

/// Maria raises an emergency; everybody on duty is alarmed and acknowledges; miguel mends it.
pub(crate) async fn emergency(world: &mut World) -> Result<(), String> {
    world.scene("emergency", "an emergency task is created", "Water comes through a ceiling");
    let task_id = world.maria.innsync.new_id();
    let suite_id = world.maria.suite("204").await.map(|suite| suite.id);
    world.stage.say("maria", "raises an emergency: “Water is coming through the ceiling of 204”");
    let command = Command::RaiseEmergency {
        task_id,
        title: "Water damage in 204".to_owned(),
        description: "Water is coming through the ceiling of 204".to_owned(),
        severity: Severity::Critical,
        suite_id,
    };
    world.maria.does(command).await?;

    let staff = [&world.sam, &world.ana, &world.ben, &world.miguel];
    let mut all = true;
    let mut urgent = true;
    for phone in staff {
        all &= becomes(|| async { alarmed(phone) }).await;
        urgent &= becomes(|| async {
            phone
                .innsync
                .urgent()
                .await
                .is_ok_and(|list| list.tasks.iter().any(|card| card.task.id == task_id))
        })
        .await;
    }
    let maria = &world.maria;
    let on_dashboard =
        becomes(|| async { maria.innsync.dashboard().await.is_ok_and(|it| it.emergencies.len() == 1) });
    let on_dashboard = on_dashboard.await;
    let not_raiser = !alarmed(maria);
    world.print_told(&["ana", "miguel"]);

    let alert_id = derived_id(task_id, "alert");
    for phone in [&world.sam, &world.ana, &world.ben, &world.miguel] {
        world.stage.say(phone.name, "acknowledges");
        phone.does(Command::AcknowledgeAlert { alert_id }).await?;
    }
    let maria = &world.maria;
    let acknowledged = becomes(|| async {
        let emergencies = maria.innsync.dashboard().await.map(|it| it.emergencies).unwrap_or_default();
        emergencies.first().is_some_and(|emergency| emergency.acknowledged.len() == 4)
    });
    let acknowledged = acknowledged.await;
    world.stage.say("maria", "sees who has acknowledged, and gives the task to miguel");
    world.maria.does(Command::AssignTask { task_id, assignee: world.miguel.employee }).await?;
    let miguel = &world.miguel;
    let assigned =
        becomes(|| async { miguel.task(task_id).await.is_some_and(|task| task.assigned_to.is_some()) }).await;
    world.stage.say("miguel", "closes the valve and completes the task");
    world.miguel.does(Command::CompleteTask { task_id }).await?;
    let maria = &world.maria;
    let over =
        becomes(|| async { maria.innsync.dashboard().await.is_ok_and(|it| it.emergencies.is_empty()) }).await;

    let mut note = |holds, what| world.verdicts.note(&world.stage, holds, what);
    note(all, "everybody on duty got the full-screen alert and its sound");
    note(urgent, "the task is in everybody's urgent list");
    note(on_dashboard, "maria's dashboard shows the emergency");
    note(not_raiser, "maria, who raised it, was not alarmed by her own phone");
    note(acknowledged, "maria sees all four acknowledgements");
    note(assigned && over, "completing the task ended the emergency on maria's dashboard");
    world.stage.pause().await;
    Ok(())
}
