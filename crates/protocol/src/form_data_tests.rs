//! Forms as browsers, curl and boto3's users send them, cut anywhere.

use super::*;
use proptest::prelude::*;

type Read = Result<(FormFields, Vec<u8>), FormError>;

/// The whole body in pieces of so many bytes.
fn read(boundary: &str, body: &[u8], piece: usize) -> Read {
    let mut decoder = FormDecoder::new(boundary);
    let (mut fields, mut file) = (None, Vec::new());
    for part in body.chunks(piece.max(1)) {
        decoder.feed(part);
        if fields.is_none() {
            fields = decoder.fields()?;
        }
        while fields.is_some()
            && let FilePiece::Bytes(bytes) = decoder.file()
        {
            assert!(!bytes.is_empty());
            file.extend(bytes);
        }
    }
    decoder.finish()?;
    Ok((fields.unwrap_or_default(), file))
}

fn written(fields: &[(&str, &str)], file: Option<(&str, &[u8])>) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        let head = format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        body.extend([head.as_bytes(), value.as_bytes(), b"\r\n"].concat());
    }
    if let Some((name, content)) = file {
        let head = format!(
            "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: text/plain\r\n\r\n"
        );
        body.extend([head.as_bytes(), content, b"\r\n"].concat());
    }
    body.extend(b"--B--\r\n");
    body
}

/// Fields, the file's name and its content.
type Expected<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a [u8]);

fn check(body: &[u8], expected: Result<Expected<'_>, FormError>) {
    let expected = expected.map(|(fields, name, content)| {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let fields = fields.iter().map(pair).collect();
        (FormFields { fields, file_name: name.to_owned() }, content.to_vec())
    });
    for piece in [1, 2, 3, 7, 64, body.len()] {
        assert_eq!(read("B", body, piece), expected, "in pieces of {piece}");
    }
}

#[test]
fn forms() {
    let fields = [("key", "a/${filename}"), ("x-amz-meta-a", ""), ("tagging", "<a>\r\n</a>")];
    check(&written(&fields, Some(("x.txt", b"content"))), Ok((&fields, "x.txt", b"content")));
    check(&written(&[], Some(("", b""))), Ok((&[], "", b"")));
    let tricky = b"\r\n--\r\n--A\r\n--";
    check(&written(&[], Some(("C:\\a\\b.txt", tricky))), Ok((&[], "b.txt", tricky)));
    // What follows the file is ignored, as is what stands before the first boundary.
    let more =
        [&b"preamble\r\n"[..], &written(&[], Some(("a", b"1"))), b"--B\r\nanything"].concat();
    check(&more, Ok((&[], "a", b"1")));
}

#[test]
fn refusals() {
    check(&written(&[("key", "a")], None), Err(FormError::NoFile));
    check(b"nothing of a form", Err(FormError::Malformed));
    check(b"--B\r\nContent-Type: text/plain\r\n\r\nx\r\n--B--", Err(FormError::Malformed));
    check(b"--Bx\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n", Err(FormError::Malformed));
    let whole = written(&[("key", "a")], Some(("x", b"content")));
    check(&whole[..whole.len() - 12], Err(FormError::Incomplete));
    let long = "v".repeat(FIELDS_BYTES_MAX);
    check(&written(&[("key", &long)], Some(("x", b""))), Err(FormError::TooLong));
}

#[test]
fn boundaries() {
    let cases = [
        ("multipart/form-data; boundary=AaB03x", Some("AaB03x")),
        ("Multipart/Form-Data; charset=utf-8; Boundary=\"a b\"", Some("a b")),
        ("multipart/form-data", None),
        ("multipart/form-data; boundary=", None),
        ("multipart/mixed; boundary=a", None),
        ("application/x-www-form-urlencoded", None),
    ];
    for (content_type, expected) in cases {
        assert_eq!(boundary(content_type), expected, "{content_type}");
    }
    let long = format!("multipart/form-data; boundary={}", "a".repeat(71));
    assert_eq!(boundary(&long), None);
}

#[test]
fn names() {
    let cases = [
        ("Content-Disposition: form-data; name=\"Key\"", Some(("Key", None))),
        ("content-disposition:form-data;name=a; filename=b.txt", Some(("a", Some("b.txt")))),
        (
            "Content-Disposition: form-data; name=\"a;b\"; filename=\"a\\\"b%22c\"",
            Some(("a;b", Some("a\"b\"c"))),
        ),
        ("Content-Disposition: attachment; name=\"a\"", None),
        ("Content-Disposition: form-data; filename=\"a\"", None),
        ("Content-Disposition: form-data; name=\"a", None),
    ];
    for (head, expected) in cases {
        let expected = expected
            .map(|(name, file): (&str, Option<&str>)| (name.to_owned(), file.map(str::to_owned)));
        assert_eq!(disposition(head), expected, "{head}");
    }
}

proptest! {
    #[test]
    fn what_was_written_is_read(
        fields in prop::collection::vec(("[a-zA-Z-]{1,12}", "[ -~é]{0,40}"), 0..6),
        content in prop::collection::vec(any::<u8>(), 0..300),
        piece in 1_usize..80,
    ) {
        prop_assume!(fields.iter().all(|(name, _)| !name.eq_ignore_ascii_case("file")));
        prop_assume!(memmem::find(&content, b"\r\n--B").is_none());
        let pairs: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let body = written(&pairs, Some(("f", &content)));
        let (read, file) = read("B", &body, piece).unwrap();
        prop_assert_eq!(read.fields, fields);
        prop_assert_eq!(file, content);
    }

    #[test]
    fn pieces_do_not_matter(
        body in "(--B|\r\n|--|a|: |;|name=\"k\"|Content-Disposition: form-data){0,30}",
    ) {
        let body = body.as_bytes();
        let whole = read("B", body, body.len());
        for piece in [1, 2, 5] {
            prop_assert_eq!(&read("B", body, piece), &whole);
        }
    }
}
