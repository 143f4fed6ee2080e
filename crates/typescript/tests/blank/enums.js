export const Color=((Color)=>{ Color[Color["Red"]=0]="Red";  Color[Color["Green"]=5]="Green";  Color[Color["Blue"]=6]="Blue";  Color["Dark"]='d';  Color[Color["Mix"]=Color.Red | Color.Green]="Mix";  Color[Color["a-b"]=Color.Mix]="a-b"; 
  Color[Color["Next"]=Color["a-b"]+1]="Next"; /* the last */ return Color;})({});
const Color2=((Color2)=>{ Color2[Color2["A"]='x'.length]="A";  Color2["B"]=`t`;  Color2["C"]=Color2.B;  Color2["D"]=Color2.C + 'x'; return Color2;})({});
;((Color2)=>{ Color2[Color2["E"]=Color2.A + 1]="E";  Color2[Color2["F"]=-1.5]="F";  Color2[Color2["G"]=Color2["F"]+1]="G";  })(Color2);
const H=((H)=>{ H[H["X"]=-1]="X";  H[H["Y"]=0]="Y";  H[H["Z"]=f((y) => ({ Y: H.Y, y: y        }))]="Z"; return H;})({});
if (1) { const I=((I)=>{ return I;})({}); }
text(Color.Red, H.Y); (1);
