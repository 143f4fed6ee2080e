namespace A { export const x = 1 }
