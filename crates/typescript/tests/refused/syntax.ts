const total = 1 +;
