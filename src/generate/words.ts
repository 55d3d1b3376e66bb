/** Made-up people and places for columns whose name says what they hold. Nobody's data: e-mail addresses end in example.com, telephone numbers are 555. */
export const FIRST_NAMES =
  'Ada Amir Ana Ben Bao Clara Chidi Dana Diego Elif Erik Fatima Finn Grace Hana Hugo Ines Ivan Jada Jonas Kofi Lena Liam Maya Mei Milo Nadia Noah Olga Omar Pia Ravi Rosa Sam Sofia Tara Theo Uma Viktor Yuki'.split(
    ' ',
  )
export const LAST_NAMES =
  'Abbott Adeyemi Bauer Becker Castillo Chen Costa Dubois Eriksen Farouk Fischer Garcia Gruber Haddad Ito Jensen Kaya Keller Kim Kowalski Larsen Lopez Marino Mbeki Moreau Nakamura Novak Okafor Park Patel Petrov Quinn Reyes Rossi Santos Schmidt Silva Tanaka Walker Weber'.split(
    ' ',
  )
export const PLACES = [
  ['Albany', 'NY', '12207'],
  ['Austin', 'TX', '78701'],
  ['Boise', 'ID', '83702'],
  ['Buffalo', 'NY', '14202'],
  ['Charlotte', 'NC', '28202'],
  ['Dayton', 'OH', '45402'],
  ['Denver', 'CO', '80202'],
  ['El Paso', 'TX', '79901'],
  ['Fresno', 'CA', '93721'],
  ['Kansas City', 'MO', '64106'],
  ['Memphis', 'TN', '38103'],
  ['Omaha', 'NE', '68102'],
  ['Portland', 'OR', '97204'],
  ['Reno', 'NV', '89501'],
  ['Savannah', 'GA', '31401'],
  ['Tucson', 'AZ', '85701'],
] as const
export const STREETS = 'Main Oak Pine Cedar Elm Lake Hill Park River Spring Mill Church'.split(' ')
export const COMPANY_WORDS =
  'Alder Apex Birch Cobalt Delta Ember Falcon Granite Harbor Iris Juniper Keystone Lumen Meridian North Orchid Pioneer Quarry Summit Willow'.split(
    ' ',
  )
export const COMPANY_FORMS = ['LLC', 'Inc', 'Group', 'Partners', 'Works', 'Supply']
export const WORDS =
  'about after again along always area back before behind bring call change check clear close come door early enter every first floor follow front good half hold keep large late leave left line long look made make more move near need next note once open order over part place plan point put read ready right room same second send side small start stop street take then third time turn under until wait week where work'.split(
    ' ',
  )
