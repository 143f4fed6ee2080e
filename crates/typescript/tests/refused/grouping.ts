const a = b ?? c as any && d;
