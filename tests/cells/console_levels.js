console.debug('d'); console.log('l', 1, { a: 1 }); console.info('i'); console.warn('w'); console.error('e'); console.assert(true, 'no'); console.assert(false, 'yes', 2);
