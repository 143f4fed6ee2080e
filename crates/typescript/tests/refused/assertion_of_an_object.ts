const f = () => <any>{};
