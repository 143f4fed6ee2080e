const a = 1 + 1 as number / 2;
