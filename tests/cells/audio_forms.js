audio('data:audio/wav;base64,UklG'); audio({ audio_url: 'data:audio/mpeg;base64,SUQz' }); audio({ type: 'audio', data: 'AAAA', mimeType: 'audio/ogg' });
