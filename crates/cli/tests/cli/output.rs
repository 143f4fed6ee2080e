//! Where output goes: files for images, bytes as they are for pipes.

use crate::harness::Desk;

/// The smallest PNG: one transparent pixel.
const PIXEL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

#[test]
fn images_are_saved_under_free_names() {
    let desk = Desk::new();
    desk.write("carrel-image-1.png", "mine");
    let cell = format!("image('data:image/png;base64,{PIXEL}'); text('after')");
    let ran = desk.eval(&cell).expect(0).says(&["saved carrel-image-2.png (image/png, "]);
    assert_eq!(ran.stdout, "after\n");
    assert_eq!(std::fs::read(desk.path().join("carrel-image-1.png")).unwrap(), b"mine");
    assert!(std::fs::read(desk.path().join("carrel-image-2.png")).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn a_folder_for_images_is_made() {
    let desk = Desk::new();
    let cell = format!("image('data:image/png;base64,{PIXEL}')");
    desk.run(&["run", "--image-dir", "out/images", "-e", &cell])
        .expect(0)
        .says(&["out/images/carrel-image-1.png"]);
    assert!(desk.path().join("out/images/carrel-image-1.png").is_file());
}

#[test]
fn an_image_that_cannot_be_saved_is_no_success() {
    let desk = Desk::new();
    desk.write("taken", "");
    let cell = format!("image('data:image/png;base64,{PIXEL}'); text('on')");
    let ran =
        desk.run(&["run", "--image-dir", "taken", "-e", &cell]).expect(5).says(&["failed to ", "taken"]);
    assert_eq!(ran.stdout, "on\n");
}

#[test]
fn a_pipe_gets_the_bytes_and_standard_error_does_not() {
    let hostile = r"const bad = '\x1b]0;pwned\x07'; text(bad); console.warn(bad); throw new Error(bad)";
    let ran = Desk::new().eval(hostile).expect(1);
    assert_eq!(ran.stdout, "\x1b]0;pwned\x07\n");
    assert!(!ran.stderr.contains(['\x1b', '\x07']), "{:?}", ran.stderr);
    ran.says(&["[warn] ␛]0;pwned␇", "Error: ␛]0;pwned␇"]);
}

#[test]
fn much_output_arrives_whole() {
    let ran = Desk::new().eval("for (let i = 0; i < 20000; i++) text('line ' + i)").expect(0);
    assert_eq!(ran.stdout.lines().count(), 20_000, "{}", ran.stderr);
    assert!(ran.stdout.ends_with("line 19999\n"));
}

#[test]
fn a_long_text_arrives_whole() {
    let ran = Desk::new().eval("text('x'.repeat(3e6))").expect(0);
    assert_eq!(ran.stdout.len(), 3_000_001, "{}", ran.stderr);
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_said_once() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = Desk::new()
        .command(&["run", "-e", "text(1); await new Promise(done => setTimeout(done, 20)); text(2)"])
        .stdout(full)
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(5), "{stderr}");
    assert_eq!(stderr.matches("failed to write to standard output").count(), 1, "{stderr}");
}

#[test]
fn output_and_notes_keep_their_order_on_one_stream() {
    let desk = Desk::new();
    let both = std::fs::File::create(desk.path().join("both")).unwrap();
    let cell =
        "for (let i = 0; i < 3; i++) { text('out ' + i); console.warn('note ' + i) } throw new Error('end')";
    let status =
        desk.command(&["run", "-e", cell]).stdout(both.try_clone().unwrap()).stderr(both).status().unwrap();
    assert_eq!(status.code(), Some(1));
    let both = std::fs::read_to_string(desk.path().join("both")).unwrap();
    let expected = "out 0\n[warn] note 0\nout 1\n[warn] note 1\nout 2\n[warn] note 2\n";
    assert!(both.starts_with(expected), "{both}");
}
