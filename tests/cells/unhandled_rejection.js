Promise.reject(new TypeError('lost'));
const late = Promise.reject(1); await null; late.catch(() => {}); tools.fail(); await tools.later(); text('end');
