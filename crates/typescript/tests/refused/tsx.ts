const a: any = <div>x</div>;
