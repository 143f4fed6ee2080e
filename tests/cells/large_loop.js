let sum = 0; for (let i = 0; i < 3e6; i++) sum += i; text(sum);
