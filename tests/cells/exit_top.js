text('before'); exit(); text('after');
