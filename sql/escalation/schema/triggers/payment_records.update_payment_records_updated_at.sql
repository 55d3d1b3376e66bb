create trigger update_payment_records_updated_at before update on public.payment_records for each row execute function public.update_updated_at_column();

comment on trigger update_payment_records_updated_at on public.payment_records is 'Keeps updated_at.';
