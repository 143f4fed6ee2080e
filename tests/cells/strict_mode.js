text(this === undefined);
undeclared = 1;
