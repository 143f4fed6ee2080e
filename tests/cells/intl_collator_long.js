// Strings that would keep the host from stopping the cell are refused; equal ones are equal whatever their length.
const long = "x".repeat(100000);
text(long.localeCompare("x".repeat(100000)));
try {
  long.localeCompare(long + "y");
} catch (error) {
  text(`${error.name}: ${error.message}`);
}
