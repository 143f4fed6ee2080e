const a = load        ('x'), b = f               (1);
