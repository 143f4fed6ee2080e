text('grüße 👋 \u{1F600}'); text('half \ud800 pair');
