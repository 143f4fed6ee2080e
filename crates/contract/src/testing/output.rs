//! Section 3: output.

use super::harness::{Harness, completed, run, start};
use crate::{ConsoleLevel, Content, ExecuteRequest, Seq};

/// Items come in order of emission, of all kinds, with rising sequence numbers.
pub async fn s3_items_come_in_order_with_the_numbers_of_their_events(harness: Harness) {
    let session = harness.session().await;
    let source = "text('a'); image('data:image/png;base64,AAAA'); console.warn('w', 1); text({ b: 1 });
        content({ type: 'resource_link', uri: 'x:y', name: 'n' }); audio({ audio_url: 'data:audio/wav;base64,BBBB' })";
    let items = run(&session, source).await.observation.items;
    let contents: Vec<_> = items.iter().map(|item| item.content.clone()).collect();
    assert_eq!(contents[0], Content::text("a"));
    assert_eq!(contents[1], Content::Image { data: "AAAA".into(), mime_type: "image/png".into() });
    assert_eq!(contents[2], Content::Text { text: "w 1".into(), level: Some(ConsoleLevel::Warn) });
    assert_eq!(contents[3], Content::text("{\"b\":1}"));
    assert!(matches!(&contents[4], Content::Block { block } if block.as_str().contains("resource_link")));
    assert_eq!(contents[5], Content::Audio { data: "BBBB".into(), mime_type: "audio/wav".into() });
    assert!(items.windows(2).all(|pair| pair[0].seq < pair[1].seq));
}

/// The budget cuts the middle and says how much is missing.
pub async fn s3_the_middle_of_long_output_is_cut_and_counted(harness: Harness) {
    let session = harness.session().await;
    let source = "text('a'.repeat(1000)); text('b'.repeat(1000))";
    let started = session.execute(ExecuteRequest::new(source).with_max_output_tokens(100)).await.unwrap();
    let observation = completed(started.first_response.await.unwrap()).observation;
    assert_eq!(observation.omitted_bytes, 1600);
    let Content::Text { text, .. } = &observation.items[0].content else { panic!("text stays text") };
    assert!(text.starts_with(&"a".repeat(200)) && text.contains("1600 bytes"), "{text}");
    // The whole stays in the session.
    let again = super::harness::ended(&session, &started.cell_id).await;
    assert_eq!(again.observation().omitted_bytes, 0);
    assert_eq!(again.text().len(), 2001);
}

/// A cell that prints without end keeps its beginning and its end; the rest is counted.
pub async fn s3_a_flood_is_held_to_the_window(harness: Harness) {
    let session = harness.session_with(|spec| spec.limits.output_bytes = 10_000).await;
    let source = "for (let i = 0; i < 20000; i++) text('line ' + i)";
    let started = start(&session, source).await;
    completed(started.first_response.await.unwrap());
    let all = super::harness::ended(&session, &started.cell_id).await;
    let text = all.text();
    assert!(text.starts_with("line 0\n") && text.ends_with("line 19999"));
    let kept: u64 = all.observation().items.iter().map(|item| item.content.size_bytes() as u64).sum();
    let emitted: u64 = (0..20_000).map(|i| format!("line {i}").len() as u64).sum();
    assert!(kept <= 10_000);
    assert_eq!(kept + all.observation().omitted_bytes, emitted);
    assert!(all.observation().cursor > Seq(20_000));
}

/// Pictures have room of their own: a large one stays beside text, and text beside it.
pub async fn s3_a_large_picture_stays_whole(harness: Harness) {
    let session = harness.session().await;
    let source = "const data = 'A'.repeat(4e6); text('before'); image({ type: 'image', data, mimeType: 'image/png' }); text('after')";
    let observation = run(&session, source).await.observation;
    assert_eq!(observation.omitted_bytes, 0);
    let sizes: Vec<_> = observation.items.iter().map(|item| item.content.size_bytes()).collect();
    assert_eq!(sizes, [6, 4_000_000, 5]);
}
