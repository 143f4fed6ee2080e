export default "é".repeat(20e6);
