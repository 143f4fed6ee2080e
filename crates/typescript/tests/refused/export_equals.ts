let a: number;
export = a;
