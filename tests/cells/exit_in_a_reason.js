// A reason whose own code exits, while it is described, is told of once, as are those after it.
Promise.reject(new Error("before"));
Promise.reject({ message: "exits", get name() { text("asked"); exit(); } });
Promise.reject(new Error("after"));
