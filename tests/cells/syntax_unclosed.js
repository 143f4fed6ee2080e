text('a'
