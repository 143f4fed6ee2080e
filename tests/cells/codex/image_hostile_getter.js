// dialect: codex
try {
  image({ get image_url() { throw new Error("no"); } });
} catch (error) {
  text(`${typeof error} ${error.split("\n")[0]}`);
}
