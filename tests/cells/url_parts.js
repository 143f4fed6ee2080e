const url = new URL("../list?page=2#top", "https://ann:secret@api.example.com:8443/v1/users/");
for (const part of ["href", "origin", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash"])
  text(`${part} ${url[part]}`);
text([String(url), JSON.stringify({ url }), new URL("HTTPS://EXAMPLE.com:443/a b/%7e?q=é").href, new URL("http://bücher.example").host]);
