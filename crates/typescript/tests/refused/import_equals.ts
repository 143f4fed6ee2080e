import fs = require('fs');
let a: number;
