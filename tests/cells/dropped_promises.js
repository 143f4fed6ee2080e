tools.later(1).then(() => text('never')); setTimeout(() => text('never'), 1); text('end');
