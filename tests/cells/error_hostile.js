throw { get message() { throw 1; } };
