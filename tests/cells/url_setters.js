const url = new URL("https://example.com/a?b=1#c");
url.protocol = "http";
url.username = "me@home";
url.password = "p:w";
url.host = "example.org:81";
url.pathname = "/x y/ü";
url.search = "q=a b";
url.hash = "end";
text(url.href);
url.port = "80";
url.search = "";
url.hash = "";
text(url.href);
// What cannot be is ignored, but for href.
url.port = "many";
url.host = "";
url.protocol = "mailto";
text(url.href);
try { url.href = "nowhere"; } catch (error) { text(String(error)); }
text(url.href);
