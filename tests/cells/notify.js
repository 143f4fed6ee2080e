notify('half way'); notify({ done: 50 });
