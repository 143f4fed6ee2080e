Promise.reject(new Error("unnoticed"));
await null;
throw new Error("noticed");
