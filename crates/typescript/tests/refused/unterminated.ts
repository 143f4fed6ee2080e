const a: string = `abc
