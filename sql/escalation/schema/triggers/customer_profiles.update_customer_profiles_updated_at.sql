create trigger update_customer_profiles_updated_at before update on public.customer_profiles for each row execute function public.update_updated_at_column();

comment on trigger update_customer_profiles_updated_at on public.customer_profiles is 'Keeps updated_at.';
