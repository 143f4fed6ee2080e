//! Sessions that are kept: what is there again after a crash of the host.

use serde_json::json;

use crate::peer::{Opening, Start, over_both, run};

/// A folder for sessions, and hosts of one client that keep them there.
fn keeping(start: Start) -> (tempfile::TempDir, Start) {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap().to_owned();
    (folder, start.arg("--data").arg(place))
}

over_both! {
    /// Values, running cells and answers that came are there when the client opens its session again.
    async fn what_a_killed_host_had_is_there_again(start) {
        let (_folder, start) = keeping(start);
        let (host, session) = start.session().await;
        session.run(run("store('k', {a: 1})")).await.done();
        let source = "const first = await tools.f(1); notify('first'); text(first + await tools.f(2))";
        let cell = session.start(run(source).with(&["f"])).await;
        let name = cell.cell.clone();
        let first = session.call().await;
        session.answer(&first, Ok(json!("one, "))).await;
        let notice = session.notice().await;
        session.acknowledge(&notice).await;
        session.call().await;
        host.kill().await;
        cell.answer().await.unwrap_err();

        let (_host, session) = start.session().await;
        assert_eq!(session.run(run("text(load('k'))")).await.done(), ["{\"a\":1}"]);
        // The second call may have been made: the cell is told so, and the client sees the cell where it was.
        let seen = session.wait(&name, 30_000).await;
        let error = seen.error().unwrap();
        assert!(seen.texts()[0].contains("interrupted by a crash"), "{seen:?}");
        assert!(error.contains("may or may not"), "{error}");
        let again = session.wait(&name, 1000).await;
        assert!(again.is_missing);
    }

    /// A session that was closed is not there again, and neither is another client's.
    async fn closed_sessions_and_those_of_others_are_not_there(start) {
        let (_folder, start) = keeping(start);
        let (_host, session) = start.session().await;
        session.run(run("store('k', 1)")).await.done();
        let other = start.clone().arg("--client").arg("somebody else");
        let (_other, theirs) = other.session().await;
        assert_eq!(theirs.run(run("text(load('k'))")).await.done(), ["undefined"]);
        session.shutdown().await.unwrap();
        let (_host, session) = start.session().await;
        assert_eq!(session.run(run("text(load('k'))")).await.done(), ["undefined"]);
    }

    /// A cell that goes on at once calls when the client is there to be called.
    async fn a_cell_that_goes_on_waits_for_its_client(start) {
        let (_folder, start) = keeping(start);
        let (host, session) = start.session().await;
        let source = "await tools.f(1).catch(() => {}); notify('on'); text(await tools.f(2))";
        let cell = session.start(run(source).with(&["f"])).await;
        let name = cell.cell.clone();
        session.call().await;
        host.kill().await;

        let (_host, session) = start.session().await;
        let notice = session.notice().await;
        assert_eq!(notice.text, "on");
        session.acknowledge(&notice).await;
        let call = session.call().await;
        assert_eq!(call.input, Some(json!(2)));
        session.answer(&call, Ok(json!("two"))).await;
        assert_eq!(session.wait(&name, 30_000).await.texts().last(), Some(&"two"));
    }

    /// Two hosts of one client at once have sessions of their own.
    async fn two_hosts_share_a_folder_and_no_session(start) {
        let (_folder, start) = keeping(start);
        let (_one, first) = start.session().await;
        first.run(run("store('k', 'first')")).await.done();
        let (_two, second) = start.session().await;
        assert_eq!(second.run(run("text(load('k')); store('k', 'second')")).await.done(), ["undefined"]);
        assert_eq!(first.run(run("text(load('k'))")).await.done(), ["first"]);
    }

    /// A client that is gone without closing its session finds it when it comes back.
    async fn what_was_not_closed_is_there_again(start) {
        let (_folder, start) = keeping(start);
        for round in 0..3 {
            let (host, session) = start.session().await;
            let had = session.run(run("text(load('k') ?? 0); store('k', (load('k') ?? 0) + 1)")).await;
            assert_eq!(had.done(), [round.to_string()]);
            assert_eq!(host.leave().await, Some(0));
        }
    }

    /// Without a folder nothing is kept.
    async fn nothing_is_kept_unless_it_is_asked_for(start) {
        let host = start.host().await;
        let session = host.open("s1", Opening::default()).await.unwrap();
        session.run(run("store('k', 1)")).await.done();
        host.kill().await;
        let (_host, session) = start.session().await;
        assert_eq!(session.run(run("text(load('k'))")).await.done(), ["undefined"]);
    }
}
