const a = Date.now(); for (let i = 0; i < 1e5; i++); text(Date.now() - a);
await new Promise((resolve) => setTimeout(resolve, 1500)); text(Date.now() - a); text(new Date().toISOString()); text(new Date(2026, 0, 1).getTimezoneOffset());
